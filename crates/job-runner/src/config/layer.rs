//! The layers themselves: tables with the place they come from, lowest priority first.

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use url::Url;

use super::Settings;
use super::channels;
use super::place::SettingPlace;
use super::problem::Problem;
use crate::state_path::Placeholders;

/// Values from one place.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) place: SettingPlace,
    pub(super) values: Dict,
}

impl Layer {
    /// A layer with one value at `path`.
    pub(super) fn single(place: SettingPlace, path: &[String], value: Value) -> Self {
        let (last, tables) = path.split_last().expect("a setting has a name");
        let inner = Dict::from([(last.clone(), value)]);
        let values = tables.iter().rev().fold(inner, |inner, name| Dict::from([(name.clone(), inner.into())]));
        Self { place, values }
    }
}

impl Layer {
    /// Takes out what the program does nothing with; a problem for each table of it.
    pub(super) fn take_unused<C: Settings>(&mut self, program: &str) -> Vec<Problem> {
        let taken = C::unused().iter().filter(|table| self.values.remove(**table).is_some());
        let message =
            format!("{program} does nothing with it; take it out, or write it into the file of `--portal-config`");
        taken.map(|table| Problem::new(*table, &message).at(&self.place)).collect()
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.place {
            // figment takes the folder of relative paths from here
            SettingPlace::File(path) => Metadata::from("file", path.as_path()),
            other => Metadata::named(other.to_string()),
        }
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// All layers of a run, defaults first.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    /// The merged defaults, before anything was filled in. To merge them takes longer than all that they are asked for.
    defaults: Dict,
}

impl Layers {
    /// The defaults of both settings types; where both have a key, the program's own count.
    pub(super) fn new(common: Dict, own: Dict) -> Self {
        let layers: Vec<Layer> =
            [common, own].into_iter().map(|values| Layer { place: SettingPlace::Default, values }).collect();
        let defaults = merged(layers.iter()).extract().expect("the defaults are tables");
        Self { layers, defaults }
    }

    /// Puts a layer on top. A plain value where the defaults have a table would hide every setting in that table, so it
    /// is reported and left out.
    pub(super) fn push(&mut self, mut layer: Layer, problems: &mut Vec<Problem>) {
        let mut misshapen = Vec::new();
        drop_misshapen(&mut layer.values, &self.defaults, &mut Vec::new(), &mut misshapen);
        problems.extend(misshapen.into_iter().map(|key| {
            Problem::new(key, "is a table of settings, not a value: name one of the settings in it").at(&layer.place)
        }));
        self.layers.push(layer);
    }

    /// The merged defaults.
    pub(super) fn defaults(&self) -> &Dict {
        &self.defaults
    }

    /// All layers merged.
    pub(super) fn figment(&self) -> Figment {
        merged(self.layers.iter())
    }

    /// Every place that has something at `path`, highest priority first.
    pub(super) fn places_of(&self, path: &[String]) -> impl Iterator<Item = &SettingPlace> {
        self.layers.iter().rev().filter(move |layer| find(&layer.values, path).is_some()).map(|layer| &layer.place)
    }

    /// The place whose value at `path` counts.
    pub(super) fn place_of(&self, path: &[String]) -> Option<&SettingPlace> {
        self.places_of(path).next()
    }

    /// Adds to a problem the place where its key gets its value, unless there is one already or it is only a default.
    pub(super) fn locate(&self, problem: &mut Problem) {
        if let (None, Some(key)) = (&problem.place, &problem.key) {
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            problem.place = self.place_of(&path).filter(|place| **place != SettingPlace::Default).cloned();
        }
    }

    /// The text that counts of a setting, if it has one.
    pub(super) fn text_at(&self, key: &str) -> Option<String> {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        let value = self.layers.iter().rev().find_map(|layer| find(&layer.values, &path))?;
        value.as_str().map(str::to_owned)
    }

    /// What placeholders stand for, when a portal is named.
    pub(super) fn placeholders(&self, program: &str) -> Option<Placeholders> {
        Placeholders::new(program, &Url::parse(&self.text_at("portal.url")?).ok()?).ok()
    }

    /// Fills in the placeholders of a setting, wherever it has a value.
    pub(super) fn fill_in(&mut self, key: &str, placeholders: &Placeholders) {
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        for layer in &mut self.layers {
            if let Some(Value::String(_, text)) = find_mut(&mut layer.values, &path) {
                *text = placeholders.filled_in(text);
            }
        }
    }

    /// The same in the channels of alerts.
    pub(super) fn fill_in_channels(&mut self, placeholders: &Placeholders) {
        self.layers.iter_mut().for_each(|layer| channels::fill_in(&mut layer.values, placeholders));
    }

    /// The layer whose value at `path` counts.
    pub(super) fn top_mut(&mut self, path: &[String]) -> Option<&mut Layer> {
        self.layers.iter_mut().rev().find(|layer| find(&layer.values, path).is_some())
    }
}

fn merged<'a>(layers: impl Iterator<Item = &'a Layer>) -> Figment {
    layers.fold(Figment::new(), |figment, layer| figment.merge(layer))
}

/// The value at `path`; a number names an element of a list.
pub(super) fn find<'a>(values: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get(first)?, |value, name| match value {
        Value::Dict(_, table) => table.get(name),
        Value::Array(_, list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The value at `path`, through tables.
fn find_mut<'a>(values: &'a mut Dict, path: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get_mut(first)?, |value, name| match value {
        Value::Dict(_, table) => table.get_mut(name),
        _ => None,
    })
}

/// Takes out the value at `path`; of a list, the whole list.
pub(super) fn remove(values: &mut Dict, path: &[String]) {
    match path {
        [] => {}
        [name] => {
            values.remove(name);
        }
        [name, rest @ ..] => match values.get_mut(name) {
            Some(Value::Dict(_, table)) => remove(table, rest),
            _ => {
                values.remove(name);
            }
        },
    }
}

fn drop_misshapen(values: &mut Dict, defaults: &Dict, path: &mut Vec<String>, found: &mut Vec<String>) {
    values.retain(|name, value| {
        let Some(Value::Dict(_, table)) = defaults.get(name) else { return true };
        path.push(name.clone());
        let fits = match value {
            Value::Dict(_, inner) => {
                drop_misshapen(inner, table, path, found);
                true
            }
            _ => {
                found.push(path.join("."));
                false
            }
        };
        path.pop();
        fits
    });
}
