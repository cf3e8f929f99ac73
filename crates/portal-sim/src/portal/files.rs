//! Content of folders, single files and folders: reading, making, renaming.
//!
//! Uploads are in `upload`, deletions in `deletion`.

use std::cmp::Reverse;

use super::body::Body;
use super::json_body::{Class, Shape, Value};
use super::query::Binder;
use super::reply::{Answer, Failure};
use super::rights::{self, Rights};
use super::rooms::{SEARCH_AREAS, SORT_ORDERS};
use super::{Change, Context, entries, page, people, titles};
use crate::actions::Names;
use crate::json::{Json, length};
use crate::scenario::{Folder, Reference, Scenario, StoredFile};
use crate::version::Ability;

/// What the portal says about a file that is not there.
pub(super) const NO_FILE: &str = "The required file was not found";
/// The same for folders.
pub(super) const NO_FOLDER: &str = "The required folder was not found";
/// The longest title that may be asked for.
const MAX_TITLE: usize = 165;

const FILTERS: Names = &[
    ("None", 0),
    ("FilesOnly", 1),
    ("FoldersOnly", 2),
    ("DocumentsOnly", 3),
    ("PresentationsOnly", 4),
    ("SpreadsheetsOnly", 5),
    ("ImagesOnly", 7),
    ("ByUser", 8),
    ("ByDepartment", 9),
    ("ArchiveOnly", 10),
    ("ByExtension", 11),
    ("MediaOnly", 12),
    ("FillingFormsRooms", 13),
    ("EditingRooms", 14),
    ("CustomRooms", 17),
    ("PublicRooms", 20),
    ("Pdf", 22),
    ("PdfForm", 23),
    ("VirtualDataRooms", 24),
    ("DiagramsOnly", 25),
    ("AiRooms", 26),
];
const APPLY: Names = &[("All", 0), ("Files", 1), ("Folder", 2)];
const LOCATIONS: Names = &[("Room", 1), ("Documents", 2), ("Link", 3)];

/// What a list is narrowed to.
struct Filter {
    kind: i32,
    text: Option<String>,
    extensions: Vec<String>,
    author: Option<uuid::Uuid>,
    exclude: bool,
    deep: bool,
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.kind == 0 && self.text.is_none() && self.extensions.is_empty() && self.author.is_none()
    }

    fn author_fits(&self, author: uuid::Uuid) -> bool {
        self.author.is_none_or(|wanted| (wanted == author) != self.exclude)
    }

    fn text_fits(&self, title: &str) -> bool {
        self.text.as_ref().is_none_or(|text| title.to_lowercase().contains(&text.to_lowercase()))
    }

    fn file_fits(&self, file: &StoredFile) -> bool {
        let kind = titles::file_type(&file.title);
        let kind_fits = match self.kind {
            2 => false,
            3 => kind == 7,
            4 => kind == 6,
            5 => kind == 5,
            7 => kind == 4,
            10 => kind == 1,
            12 => matches!(kind, 2 | 3),
            22 | 23 => kind == 10,
            25 => kind == 11,
            _ => true,
        };
        let extension = titles::extension(&file.title);
        kind_fits
            && (self.extensions.is_empty() || self.extensions.contains(&extension))
            && self.text_fits(&file.title)
            && self.author_fits(file.author)
    }

    fn folder_fits(&self, folder: &Folder) -> bool {
        matches!(self.kind, 0 | 2)
            && self.extensions.is_empty()
            && self.text_fits(&folder.title)
            && self.author_fits(folder.author)
    }
}

/// `GET files/{folderId}`: one object, as for rooms.
pub(super) fn contents(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let kind = binder.named_or_empty("filterType", "FilterType", FILTERS).unwrap_or(0);
    let apply = binder.named_or_empty("applyFilterOption", "ApplyFilterOption", APPLY).unwrap_or(0);
    let author = binder.guid_or_empty("userIdOrGroupId");
    binder.guid_or_empty("sharedBy");
    binder.number_or_empty("roomId");
    let exclude = binder.bool_or_empty("excludeSubject").unwrap_or(false);
    binder.named("searchArea", "SearchArea", SEARCH_AREAS);
    binder.named_or_empty("location", "Location", LOCATIONS);
    let deep = !context.scenario.can(Ability::SubfolderSwitch) || binder.bool("withSubFolders", true);
    let (count, start) = (binder.count(), binder.start_index());
    let descending = binder.named_or_empty("sortOrder", "SortOrder", SORT_ORDERS) == Some(1);
    let sort = binder.text("sortBy").unwrap_or_default().to_ascii_lowercase();
    let text = binder.text("filterValue").map(str::to_owned);
    let extensions = binder.text("extension").unwrap_or_default();
    let extensions = extensions.split(',').map(str::trim).filter(|part| !part.is_empty());
    let extensions = extensions.map(|part| format!(".{}", part.trim_start_matches('.').to_lowercase())).collect();
    binder.done()?;
    let filter = Filter { kind, text, extensions, author, exclude, deep };
    let scenario = context.scenario;
    let id = id.ok_or_else(|| Failure::not_found(NO_FOLDER))?;
    rights::readable(context, id, NO_FOLDER)?;
    if start < 0 {
        return Err(Failure::out_of_range("(Parameter 'startIndex')"));
    }
    let deep = filter.deep && !filter.is_empty();
    let inside = |parent: i32| if deep { is_below(scenario, parent, id) } else { parent == id };
    let mut folders: Vec<&Folder> = scenario.content.folders.iter().filter(|folder| inside(folder.parent)).collect();
    let mut files: Vec<&StoredFile> = scenario.content.files.iter().filter(|file| inside(file.folder)).collect();
    folders.retain(|folder| apply == 1 || filter.folder_fits(folder));
    files.retain(|file| apply == 2 || filter.file_fits(file));
    sort_entries(&mut folders, &mut files, &sort, descending);
    let total = length(folders.len() + files.len());
    let all: Vec<(bool, Json)> = page(
        folders
            .iter()
            .map(|folder| (true, entries::folder(context, folder)))
            .chain(files.iter().map(|file| (false, entries::file(context, file, None))))
            .collect(),
        start,
        count,
    );
    let shown = length(all.len());
    let (folders, files): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_folder, _)| *is_folder);
    let strip = |list: Vec<(bool, Json)>| Json::List(list.into_iter().map(|(_, entry)| entry).collect());
    Ok(Answer::one(Json::object([
        ("files", strip(files)),
        ("folders", strip(folders)),
        ("current", entries::any_folder(context, id)),
        ("pathParts", entries::path_parts(scenario, id)),
        ("startIndex", start.into()),
        ("count", shown.into()),
        ("total", total.into()),
        ("new", 0.into()),
    ])))
}

fn sort_entries(folders: &mut [&Folder], files: &mut [&StoredFile], sort: &str, descending: bool) {
    match sort {
        "az" => {
            folders.sort_by_key(|folder| folder.title.to_lowercase());
            files.sort_by_key(|file| file.title.to_lowercase());
        }
        "size" => files.sort_by_key(|file| file.current().content.len()),
        "dateandtimecreation" => {
            folders.sort_by_key(|folder| folder.created);
            files.sort_by_key(|file| file.versions.first().map(|version| version.at));
        }
        "dateandtime" => {
            folders.sort_by_key(|folder| folder.created);
            files.sort_by_key(|file| file.current().at);
        }
        // the caller's saved order; new callers have "last changed first"
        _ => {
            folders.sort_by_key(|folder| Reverse(folder.created));
            files.sort_by_key(|file| Reverse(file.current().at));
        }
    }
    if descending {
        folders.reverse();
        files.reverse();
    }
}

/// Whether a folder is this one or somewhere below it.
pub(super) fn is_below(scenario: &Scenario, folder: i32, top: i32) -> bool {
    let mut at = folder;
    loop {
        if at == top {
            return true;
        }
        match scenario.folder(at) {
            Some(found) => at = found.parent,
            None => return false,
        }
    }
}

/// `GET files/folder/{id}`
pub(super) fn folder_info(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let id = id.ok_or_else(|| Failure::not_found(NO_FOLDER))?;
    rights::readable(context, id, NO_FOLDER)?;
    Ok(Answer::one(entries::any_folder(context, id)))
}

/// `GET files/folder/{id}/path`: the folders from the section down.
pub(super) fn path(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let id = id.ok_or_else(|| Failure::not_found(NO_FOLDER))?;
    rights::readable(context, id, NO_FOLDER)?;
    let ids = entries::path_ids(context.scenario, id);
    let list = ids.into_iter().map(|id| entries::any_folder(context, id)).collect();
    Ok(Answer::one(Json::List(list)))
}

/// The file and the caller's rights, or why they have none.
pub(super) fn readable_file<'a>(context: &Context<'a>, id: Option<i32>) -> Result<(&'a StoredFile, Rights), Failure> {
    let file = id.and_then(|id| context.scenario.file(id)).ok_or_else(|| Failure::not_found(NO_FILE))?;
    let denied = || Failure::invalid_operation("You don't have enough permission to view the file");
    let person = context.caller.person().ok_or_else(denied)?;
    let rights = rights::rights(context.scenario, person, file.folder);
    if rights.read { Ok((file, rights)) } else { Err(denied()) }
}

/// `GET files/file/{id}`
pub(super) fn info(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let mut binder = Binder::new(context.query);
    let version = binder.number("version", -1);
    binder.done()?;
    let (file, _) = readable_file(context, id)?;
    let version = usize::try_from(version).ok().filter(|version| *version > 0);
    if version.is_some_and(|version| version > file.versions.len()) {
        return Err(Failure::not_found(NO_FILE));
    }
    Ok(Answer::one(entries::file(context, file, version)))
}

/// `GET files/file/{id}/history`
pub(super) fn history(context: &Context<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let (file, _) = readable_file(context, id)?;
    let versions = (1..=file.versions.len()).rev();
    Ok(Answer::one(Json::List(versions.map(|version| entries::file(context, file, Some(version))).collect())))
}

const RENAME: Shape = Shape::Object(&Class {
    members: &[("title", Shape::Text), ("lastVersion", Shape::Int { bits: 32, nullable: false })],
    required: &[],
});

/// `PUT files/file/{id}`: another title, or an older version on top.
pub(super) fn rename(change: &mut Change<'_>, id: Option<i32>) -> Result<Answer, Failure> {
    let body = read(change, &RENAME, "File", |binder, body| {
        if body.get("title").text().is_some_and(|title| title.chars().count() > MAX_TITLE) {
            let text = format!("The field Title must be a string with a maximum length of {MAX_TITLE}.");
            binder.error("File.Title", text);
        }
    })?;
    let context = change.context();
    let (file, rights) = readable_file(&context, id)?;
    if !rights.create {
        return Err(Failure::invalid_operation("You don't have enough permission to rename the file"));
    }
    let (id, old, folder) = (file.id, file.title.clone(), file.folder);
    if let Some(title) = body.get("title").text().filter(|title| !title.trim().is_empty()) {
        let extension = titles::extension(&old);
        let mut new = titles::clean_file(title);
        if titles::extension(&new) != extension {
            new.push_str(&extension);
        }
        if new != old {
            if let Some(file) = change.scenario.file_mut(id) {
                file.title.clone_from(&new);
            }
            change.entry_row(5001, Reference::File(id), &[&new, &old], folder);
        }
    }
    let version = body.get("lastVersion").int().and_then(|version| usize::try_from(version).ok()).unwrap_or(0);
    let now = change.scenario.now;
    let author = change.person()?.id;
    let file = change.scenario.file_mut(id).ok_or_else(|| Failure::not_found(NO_FILE))?;
    if version > 0 && version < file.versions.len() {
        let mut copy = file.versions[version - 1].clone();
        (copy.at, copy.author) = (now, author);
        file.versions.push(copy);
        change.entry_row(5044, Reference::File(id), &[&version.to_string()], folder);
    }
    let context = change.context();
    let (file, _) = readable_file(&context, Some(id))?;
    Ok(Answer::one(entries::file(&context, file, None)))
}

/// Makes a folder and writes the row about it.
pub(super) fn new_folder(change: &mut Change<'_>, parent: i32, title: &str, author: uuid::Uuid) -> i32 {
    let id = change.scenario.next_entry();
    let created = change.scenario.now;
    change.scenario.content.folders.push(Folder { id, parent, title: title.to_owned(), author, created });
    change.entry_row(5019, Reference::Folder(id), &[title], parent);
    id
}

/// The folder, if the caller may put something into it.
pub(super) fn creatable(context: &Context<'_>, id: Option<i32>) -> Result<i32, Failure> {
    let id = id.ok_or_else(|| Failure::not_found(NO_FOLDER))?;
    if context.scenario.location(id).is_none() {
        return Err(Failure::not_found(NO_FOLDER));
    }
    let person = context.caller.person().ok_or(Failure::Empty(401))?;
    if !rights::rights(context.scenario, person, id).create {
        return Err(Failure::security());
    }
    Ok(id)
}

/// Reads the JSON body of a route and lets the route look for what is wrong with it.
pub(super) fn read(
    change: &Change<'_>,
    shape: &'static Shape,
    name: &str,
    check: impl FnOnce(&mut Binder<'_>, &Value),
) -> Result<Value, Failure> {
    let body: Body<'_> = change.body;
    let mut binder = Binder::new(change.query);
    let value = binder.json(body, shape, name);
    check(&mut binder, &value);
    binder.done()?;
    Ok(value)
}

/// `GET files/@my`, `GET files/@trash`: the caller's own sections.
pub(super) fn own_section(context: &Context<'_>, trash: bool) -> Result<Answer, Failure> {
    let person = people::caller(context)?;
    let scenario = context.scenario;
    let id = if trash { scenario.trash(person.id) } else { scenario.my_documents(person.id) };
    contents(context, Some(id))
}
