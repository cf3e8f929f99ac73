//! The routes of files, rooms' members, people, groups and keys, and of downloads.
//!
//! An id in a path that is no 32-bit number belongs to third-party storage; such entries are never found here.

use uuid::Uuid;

use super::method::Need;
use super::route::Route;
use super::{
    deletion, download, files, groups, keys, members, people, people_change, people_list, room_create, room_end, rooms,
    upload, upload_session,
};
use crate::version::Ability;

const FILES: Need = Need::Area("files");
const ROOMS: Need = Need::Area("rooms");
const PEOPLE: Need = Need::Area("accounts");

/// What answers at this path, in lower case; `None` for a path that is not there.
pub(super) fn route(parts: &[&str]) -> Option<Route> {
    match parts {
        ["filehandler.ashx"] => Some(Route::none().get(Need::Anybody, download::handle)),
        ["files", "rooms", rest @ ..] => room_route(rest),
        ["files", rest @ ..] => file_route(rest),
        ["people", rest @ ..] => people_route(rest),
        ["group"] => Some(Route::new(Need::Groups, groups::list)),
        ["group", id] => {
            let id = guid(id)?;
            Some(Route::new(Need::Groups, move |context| groups::one(context, id)))
        }
        ["keys"] => Some(Route::new(Need::Keys, keys::list)),
        ["security", "activeconnections", "logoutall", id] => {
            let id = guid(id)?;
            Some(Route::none().put(Need::Global, move |change| people_change::logout_all(change, id)))
        }
        _ => None,
    }
}

/// Ids in paths of this kind must have the form of one, or the route does not exist.
fn guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

fn room_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        [] => Route::new(ROOMS, rooms::list).post(ROOMS, room_create::create),
        [id] => {
            let id = id.parse().ok();
            Route::anonymous(ROOMS, move |context| rooms::one(context, id))
                .delete(ROOMS, move |change| room_end::delete(change, id))
        }
        [id, end @ ("archive" | "unarchive")] => {
            let (id, archived) = (id.parse().ok(), *end == "archive");
            Route::none().put(ROOMS, move |change| room_end::archive(change, id, archived))
        }
        [id, "share"] => {
            let id = id.parse().ok();
            Route::new(ROOMS, move |context| members::list(context, id))
                .put(ROOMS, move |change| members::change(change, id))
        }
        _ => return None,
    })
}

fn file_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        ["@my"] => Route::new(FILES, |context| files::own_section(context, false)),
        ["@trash"] => Route::new(FILES, |context| files::own_section(context, true)),
        ["file", id] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::info(context, id))
                .put(FILES, move |change| files::rename(change, id))
                .open()
                .delete(FILES, move |change| deletion::file(change, id))
        }
        ["file", id, "history"] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::history(context, id))
        }
        ["folder", id] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::folder_info(context, id))
                .delete(FILES, move |change| deletion::folder(change, id))
        }
        ["folder", id, "path"] => {
            let id = id.parse().ok();
            Route::new(FILES, move |context| files::path(context, id))
        }
        ["folder", id, "group", group, "share"] => {
            let (id, group): (i32, Uuid) = (id.parse().ok()?, guid(group)?);
            Route::new(FILES, move |context| members::of_group(context, id, group))
        }
        [id] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::contents(context, id))
        }
        [id, rest @ ..] => return folder_route((*id).to_owned(), rest),
        [] => return None,
    })
}

/// What can be done inside a folder: `files/{id}/…`.
fn folder_route(id: String, parts: &[&str]) -> Option<Route> {
    // the caller's own documents have their own name, which only the portal can turn into an id
    let folder = move |change: &super::Change<'_>| match id.as_str() {
        "@my" => change.person().map(|person| Some(change.scenario.my_documents(person.id))),
        id => Ok(id.parse().ok()),
    };
    Some(match parts {
        ["upload"] => Route::none().post(FILES, move |change| upload::upload(change, folder(change)?)),
        ["session"] => Route::none()
            .post(FILES, move |change| upload_session::begin(change, folder(change)?))
            .since(Ability::UploadSessions),
        ["session", session, step @ ..] => {
            let session = (*session).to_owned();
            let route = match step {
                [] => Route::none().delete(FILES, move |change| upload_session::abort(change, &session)),
                ["upload"] => Route::none().post(FILES, move |change| upload_session::chunk(change, &session)),
                ["finalize"] => Route::none().put(FILES, move |change| upload_session::finalize(change, &session)),
                _ => return None,
            };
            route.since(Ability::UploadSessions)
        }
        _ => return None,
    })
}

fn people_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        ["filter"] => Route::new(PEOPLE, people_list::filter),
        ["status", _] => Route::none().put(PEOPLE, people_change::status),
        [name] => {
            let (read, updated, deleted) = ((*name).to_owned(), (*name).to_owned(), (*name).to_owned());
            // it carries its own rule of access, so no scope is asked for
            Route::new(Need::Nothing, move |context| people::one(context, &read))
                .put(PEOPLE, move |change| people_change::update(change, &updated))
                .delete(PEOPLE, move |change| people_change::delete(change, &deleted))
        }
        _ => return None,
    })
}
