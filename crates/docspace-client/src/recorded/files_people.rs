//! The same for people, groups, rooms, folders, files, keys and what the portal says about itself.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Exchange, exchanges, read_all};
use crate::folders::{entry_id, file_value, folder_value};
use crate::lists::ListPage;
use crate::wire::{
    ContentDto, EntryDto, FileDto, FolderDto, GroupDto, GroupMemberDto, KeyDto, LifetimesDto, PersonDto, QuotaDto,
    ShareDto,
};
use crate::{Account, EntryId};

/// Recorded answers to paths of this form, where `*` is any part. The recording of scopes has no payloads.
fn answers(form: &str) -> Vec<(String, Exchange)> {
    let form: Vec<&str> = form.split('/').collect();
    let all = exchanges(|path| {
        let parts: Vec<&str> = path.trim_start_matches("/api/2.0/").split('/').collect();
        parts.len() == form.len() && form.iter().zip(&parts).all(|(form, part)| *form == "*" || form == part)
    });
    all.into_iter().filter(|(file, _)| file != "scopes").collect()
}

/// The payload of one answer of the recorded shapes, and the same as plain JSON.
fn shape<T: DeserializeOwned>(form: &str, name: &str) -> (T, Value) {
    let all = answers(form);
    let (_, exchange) = all
        .into_iter()
        .find(|(file, exchange)| file == "response-shapes" && exchange.name == name)
        .unwrap_or_else(|| panic!("{name} is not recorded"));
    (exchange.response.parse().unwrap().response.unwrap(), exchange.response.body["response"].clone())
}

#[test]
fn lists_and_objects_parse() {
    let one = |form: &str, summary: fn(&[(String, Exchange)]) -> String| {
        let all = answers(form);
        assert!(!all.is_empty(), "{form} is not recorded");
        format!("{form}: {}", summary(&all))
    };
    let summaries = [
        one("people/filter", |all| read_all::<Vec<PersonDto>>(all, Vec::len)),
        one("group", |all| read_all::<Vec<GroupDto>>(all, Vec::len)),
        one("group/*", |all| read_all::<GroupDto>(all, |_| 0)),
        one("files/rooms/*", |all| read_all::<FolderDto>(all, |_| 0)),
        one("files/rooms/*/share", |all| read_all::<Vec<ShareDto>>(all, Vec::len)),
        one("files/folder/*/group/*/share", |all| read_all::<Vec<GroupMemberDto>>(all, Vec::len)),
        one("files/folder/*/path", |all| read_all::<Vec<FolderDto>>(all, Vec::len)),
        one("files/file/*", |all| read_all::<FileDto>(all, |_| 0)),
        one("files/4217", |all| read_all::<ContentDto>(all, |_| 0)),
        one("files/sbox-12", |all| read_all::<ContentDto>(all, |_| 0)),
        one("keys/@self", |all| read_all::<KeyDto>(all, |_| 0)),
        one("portal/quota", |all| read_all::<QuotaDto>(all, |_| 0)),
        one("security/audit/settings/lifetime", |all| read_all::<LifetimesDto>(all, |_| 0)),
    ];
    insta::assert_snapshot!("files_and_people", summaries.join("\n\n"));
}

#[test]
fn people_keep_what_the_portal_said() {
    let (people, raw): (Vec<PersonDto>, Value) = shape("people/filter", "full users, every member set");
    let account = Account::from(people.into_iter().next().unwrap());
    assert_eq!(account.person.id.to_string(), raw[0]["id"].as_str().unwrap());
    assert_eq!(account.person.email.unwrap().raw(), raw[0]["email"].as_str().unwrap());
    let names = [&raw[0]["firstName"], &raw[0]["lastName"]].map(|name| name.as_str().unwrap());
    assert_eq!(account.person.name.raw(), names.join(" "));
    // the sample has every flag set; the owner comes before all of them
    assert_eq!(account.person.role, Some(audit_model::PortalRole::Owner));
    assert!(account.is_ldap && account.is_sso && account.person.registered.is_some());
}

#[test]
fn groups_keep_what_the_portal_said() {
    let (group, raw): (GroupDto, Value) = shape("group/*", "group, every member set");
    let group = crate::Group::from(group);
    assert_eq!((group.id.to_string(), group.name.raw()), (text(&raw["id"]), text(&raw["name"]).as_str()));
    assert_eq!(group.size, raw["membersCount"].as_u64());
    assert_eq!(group.manager.unwrap().id.to_string(), text(&raw["manager"]["id"]));
    let (members, raw): (Vec<GroupMemberDto>, Value) =
        shape("files/folder/*/group/*/share", "group members, every member set");
    assert_eq!(members[0].user.as_ref().unwrap().id.to_string(), text(&raw[0]["user"]["id"]));
    assert!(members[1].user.is_none() && raw[1].get("user").is_none());
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn entries_keep_what_the_portal_said() {
    let (contents, raw): (ContentDto, Value) = shape("files/*", "folder contents, every member set");
    let (files, folders) = (&raw["files"], &raw["folders"]);
    assert_eq!(ListPage::total(&contents), raw["total"].as_i64());
    let rows = contents.into_rows();
    // entries without an id are never counted, so a list with one is incomplete
    let named = rows.iter().filter(|row| entry_id(row).is_some()).count();
    let with_id = |list: &Value| list.as_array().unwrap().iter().filter(|entry| entry.get("id").is_some()).count();
    assert_eq!(named, with_id(files) + with_id(folders));
    let mut file = None;
    let mut folder = None;
    for row in rows {
        match row {
            EntryDto::File(dto) => file = file.or(file_value(dto)),
            EntryDto::Folder(dto) => folder = folder.or(folder_value(dto)),
        }
    }
    let (file, folder) = (file.unwrap(), folder.unwrap());
    let id = |value: &Value| Some(EntryId::Number(value.as_i64().unwrap()));
    assert_eq!((Some(file.id), file.folder), (id(&files[0]["id"]), id(&files[0]["folderId"])));
    assert_eq!((file.version, file.size_bytes), (42, files[0]["pureContentLength"].as_u64().unwrap()));
    assert_eq!(file.author.unwrap().to_string(), text(&files[0]["createdBy"]["id"]));
    assert!(file.in_room && !file.in_trash && file.created.is_some() && file.updated_by.is_some());
    assert_eq!((Some(folder.id), folder.parent), (id(&folders[0]["id"]), id(&folders[0]["parentId"])));
    assert_eq!((folder.title.raw(), folder.room_type), (text(&folders[0]["title"]).as_str(), Some(2)));
    assert_eq!((folder.files, folder.folders), (Some(42), Some(42)));
}
