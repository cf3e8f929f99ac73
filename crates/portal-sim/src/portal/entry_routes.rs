//! The routes of files, rooms' members, people, groups and keys, and of the handlers beside the API.
//!
//! An id in a path that is no 32-bit number belongs to third-party storage; such entries are never found here.

use uuid::Uuid;

use super::auth::Need;
use super::route::Route;
use super::{
    download, files, groups, keys, members, operations, people, people_change, people_invite, people_list, picker,
    room_change, rooms, upload, upload_session,
};
use crate::version::Ability;

const FILES: Need = Need::Area("files");
const ROOMS: Need = Need::Area("rooms");
const PEOPLE: Need = Need::Area("accounts");

/// What answers at this path, in lower case; `None` for a path that is not there.
pub(super) fn route(parts: &[&str]) -> Option<Route> {
    match parts {
        ["filehandler.ashx"] => Some(Route::none().get(Need::Anybody, download::handle)),
        ["chunkeduploader.ashx"] => {
            Some(Route::none().get(Need::Anybody, upload_session::chunked).post(Need::Anybody, upload_session::chunked))
        }
        ["files", "rooms", rest @ ..] => room_route(rest),
        ["files", rest @ ..] => file_route(rest),
        ["people", rest @ ..] => people_route(rest),
        ["group", rest @ ..] => group_route(rest),
        ["keys", rest @ ..] => key_route(rest),
        ["accounts", "room", id, "search"] => {
            let id = id.parse().ok();
            Some(Route::new(Need::Global, move |context| picker::search_room(context, id)))
        }
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
        [] => Route::new(ROOMS, rooms::list).post(ROOMS, room_change::create),
        [id] => {
            let id = id.parse().ok();
            Route::anonymous(ROOMS, move |context| rooms::one(context, id))
                .put(ROOMS, move |change| room_change::update(change, id))
                .delete(ROOMS, move |change| room_change::delete(change, id))
        }
        [id, "share"] => {
            let id = id.parse().ok();
            Route::new(ROOMS, move |context| members::list(context, id))
                .put(ROOMS, move |change| members::change(change, id))
        }
        [id, action @ ("archive" | "unarchive")] => {
            let (id, archived) = (id.parse().ok(), *action == "archive");
            Route::none().put(ROOMS, move |change| room_change::archive(change, id, archived))
        }
        _ => return None,
    })
}

fn file_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        ["@my"] => Route::new(FILES, |context| files::own_section(context, false)),
        ["@trash"] => Route::new(FILES, |context| files::own_section(context, true)),
        ["fileops"] => Route::anonymous(FILES, operations::list),
        ["fileops", "delete"] => Route::none().put(FILES, operations::delete_batch),
        ["fileops", "move"] => Route::none().put(FILES, operations::move_batch),
        ["fileops", "copy"] => Route::none().put(FILES, operations::copy_batch),
        ["fileops", "emptytrash"] => Route::none().put(FILES, operations::empty_trash),
        ["file", id] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::info(context, id))
                .put(FILES, move |change| files::rename(change, id))
                .open()
                .delete(FILES, move |change| files::delete_file(change, id))
        }
        ["file", id, "history"] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::history(context, id))
        }
        ["file", id, "presigneduri"] => {
            let id = id.parse().ok();
            Route::new(FILES, move |context| files::presigned(context, id))
        }
        ["file", id, "lock"] => {
            let id = id.parse().ok();
            Route::none().put(FILES, move |change| files::lock(change, id))
        }
        ["folder", id] => {
            let id = id.parse().ok();
            Route::anonymous(FILES, move |context| files::folder_info(context, id))
                .post(FILES, move |change| files::make_folder(change, id))
                .put(FILES, move |change| files::rename_folder(change, id))
                .delete(FILES, move |change| files::delete_folder(change, id))
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
        ["subfolders"] => Route::none().get(FILES, move |change| files::subfolders(&change.context(), folder(change)?)),
        ["upload"] => Route::none().post(FILES, move |change| upload::upload(change, folder(change)?)),
        ["upload", "check"] => Route::none().post(FILES, move |change| files::check(change, folder(change)?)),
        ["upload", "create_session"] => {
            Route::none().post(FILES, move |change| upload_session::begin_wrapped(change, folder(change)?))
        }
        ["insert"] => Route::none().post(FILES, move |change| upload::insert(change, folder(change)?)),
        ["text"] => Route::none().post(FILES, move |change| upload::text(change, folder(change)?, false)),
        ["html"] => Route::none().post(FILES, move |change| upload::text(change, folder(change)?, true)),
        ["update"] => Route::none().put(FILES, move |change| upload::update(change, folder(change)?)),
        ["session"] => Route::none()
            .post(FILES, move |change| upload_session::begin(change, folder(change)?))
            .since(Ability::UploadSessions),
        ["session", session] => {
            let (next, abort) = ((*session).to_owned(), (*session).to_owned());
            Route::none()
                .post(FILES, move |change| upload_session::next(change, &next))
                .delete(FILES, move |change| upload_session::abort(change, &abort))
                .since(Ability::UploadSessions)
        }
        ["session", session, "upload"] => {
            let session = (*session).to_owned();
            Route::none()
                .post(FILES, move |change| upload_session::chunk(change, &session))
                .since(Ability::UploadSessions)
        }
        ["session", session, "finalize"] => {
            let session = (*session).to_owned();
            Route::none()
                .put(FILES, move |change| upload_session::finalize(change, &session))
                .since(Ability::UploadSessions)
        }
        _ => return None,
    })
}

fn people_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        [] => Route::new(PEOPLE, people_list::active),
        // the plain names are user names for the other verbs
        ["filter"] => with_account(Route::new(PEOPLE, people_list::filter), "filter"),
        ["email"] => with_account(Route::new(PEOPLE, people_list::by_email), "email"),
        ["search"] => with_account(Route::new(PEOPLE, |context| people_list::search(context, None)), "search"),
        // for the other verbs these two are user names
        ["theme"] => Route::new(Need::Nothing, |context| people::one(context, "theme"))
            .put(PEOPLE, people_change::theme)
            .delete(PEOPLE, |change| people_change::delete(change, "theme")),
        ["invite"] => Route::new(Need::Nothing, |context| people::one(context, "invite"))
            .post(PEOPLE, people_invite::invite)
            .put(PEOPLE, people_invite::invite_again)
            .delete(PEOPLE, |change| people_change::delete(change, "invite")),
        ["simple", "filter"] => Route::new(PEOPLE, people_list::simple),
        ["@search", text] => {
            let text = (*text).to_owned();
            Route::new(PEOPLE, move |context| people_list::search(context, Some(&text)))
        }
        ["status", _] => Route::new(PEOPLE, people_list::by_status).put(PEOPLE, people_change::status),
        [kind @ ("room" | "folder" | "file"), id] => {
            let (id, is_file) = (id.parse().ok(), *kind == "file");
            Route::new(PEOPLE, move |context| people_list::of_room(context, id, is_file))
        }
        [name] => {
            let owned = (*name).to_owned();
            // it carries its own rule of access, so no scope is asked for
            with_account(Route::new(Need::Nothing, move |context| people::one(context, &owned)), name)
        }
        _ => return None,
    })
}

/// The other verbs of an account.
fn with_account(route: Route, name: &str) -> Route {
    let (updated, deleted) = (name.to_owned(), name.to_owned());
    route
        .put(PEOPLE, move |change| people_change::update(change, &updated))
        .delete(PEOPLE, move |change| people_change::delete(change, &deleted))
}

fn group_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        [] => Route::new(Need::Groups, groups::list).post(Need::Groups, people_invite::make_group),
        ["room", id] => {
            let id = id.parse().ok();
            Route::new(Need::Groups, move |context| picker::groups_of_room(context, id))
        }
        ["user", id] => {
            let id = guid(id)?;
            Route::new(Need::Groups, move |context| groups::of_user(context, id))
        }
        [id] => {
            let id = guid(id)?;
            Route::new(Need::Groups, move |context| groups::one(context, id))
        }
        _ => return None,
    })
}

fn key_route(parts: &[&str]) -> Option<Route> {
    Some(match parts {
        [] => Route::new(Need::Keys, keys::list).post(Need::Keys, keys::create),
        ["permissions"] => Route::new(Need::Keys, keys::permissions),
        [id] => {
            let id = guid(id)?;
            Route::none()
                .put(Need::Keys, move |change| keys::update(change, id))
                .delete(Need::Keys, move |change| keys::delete(change, id))
        }
        _ => return None,
    })
}
