//! What the source says of the public types: all there are, and which of them might show a secret.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use quote::ToTokens;
use syn::{Fields, Item, Visibility};

use crate::proof::{Body, words};

/// The traits by which something is shown.
const TRAITS: [&str; 3] = ["Debug", "Display", "LowerHex"];

/// All types of the crates that are published.
#[derive(Default)]
pub(crate) struct Types {
    pub(crate) all: Vec<Found>,
    /// Where in `all` the types of a name are: names repeat in different modules.
    named: HashMap<String, Vec<usize>>,
    /// How types are shown that do not derive it, by the type's name and by the module's.
    by_hand: HashMap<String, Vec<Body>>,
    by_macro: HashMap<String, Vec<Body>>,
}

/// One type's definition.
pub(crate) struct Found {
    /// As `std::any::type_name` has it.
    pub(crate) path: String,
    pub(crate) public: bool,
    pub(crate) derived: bool,
    pub(crate) parameters: HashSet<String>,
    /// By name, or by place.
    pub(crate) fields: BTreeMap<String, syn::Type>,
}

impl Types {
    /// Reads the source of the crates.
    pub(crate) fn read() -> Types {
        let mut types = Types::default();
        let sources = [
            ("alizarin_core", "core/src"),
            ("alizarin", "src"),
            ("alizarin_testkit", "testkit/src"),
        ];
        for (name, folder) in sources {
            types.folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), name);
        }
        types
    }

    fn folder(&mut self, folder: &Path, module: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let inner = match stem.as_str() {
                "lib" | "mod" => module.to_owned(),
                stem => format!("{module}::{stem}"),
            };
            if path.is_dir() {
                self.folder(&path, &inner);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let file = syn::parse_file(&text);
                self.items(&file.unwrap_or_else(|error| panic!("{path:?}: {error}")).items, &inner);
            }
        }
    }

    fn items(&mut self, items: &[Item], module: &str) {
        for item in items {
            match item {
                Item::Struct(item) => {
                    let fields = named(&item.fields);
                    let (name, visibility) = (&item.ident, &item.vis);
                    self.add(module, name, visibility, &item.attrs, &item.generics, fields);
                }
                Item::Enum(item) => {
                    let fields = item.variants.iter().flat_map(|variant| {
                        let named = named(&variant.fields).into_iter();
                        named.map(|(name, kind)| (format!("{}.{name}", variant.ident), kind))
                    });
                    let (name, visibility) = (&item.ident, &item.vis);
                    self.add(
                        module,
                        name,
                        visibility,
                        &item.attrs,
                        &item.generics,
                        fields.collect(),
                    );
                }
                Item::Impl(item) => self.shown(item),
                Item::Mod(item) => {
                    let items = item.content.as_ref().map_or(&[][..], |(_, items)| items);
                    self.items(items, &format!("{module}::{}", item.ident));
                }
                Item::Macro(item) => {
                    let words = words(item.mac.tokens.clone());
                    let makes = words.windows(2).any(|two| {
                        two[0] == "pub" && ["struct", "enum", "union"].contains(&two[1].as_str())
                    });
                    // Its name would have to be pieced together. There is none yet.
                    assert!(
                        !makes,
                        "a macro in {module} makes a public type: let this test see it"
                    );
                    for at in 2..words.len() {
                        let [shows, of] = [&words[at - 2], &words[at - 1]];
                        if TRAITS.contains(&shows.as_str()) && of == "for" {
                            let body = Body(words[at..].to_vec());
                            self.by_macro.entry(module.to_owned()).or_default().push(body);
                        }
                    }
                }
                Item::Union(item) => panic!("{}: nothing knows what a union holds", item.ident),
                _ => {}
            }
        }
    }

    fn add(
        &mut self,
        module: &str,
        name: &syn::Ident,
        visibility: &Visibility,
        attributes: &[syn::Attribute],
        generics: &syn::Generics,
        fields: BTreeMap<String, syn::Type>,
    ) {
        let derives = attributes.iter().filter(|one| one.path().is_ident("derive"));
        let mut derives = derives.map(|one| one.to_token_stream().to_string());
        self.named.entry(name.to_string()).or_default().push(self.all.len());
        self.all.push(Found {
            path: format!("{module}::{name}"),
            public: matches!(visibility, Visibility::Public(_)),
            derived: derives.any(|list| list.contains("Debug")),
            parameters: generics.type_params().map(|one| one.ident.to_string()).collect(),
            fields,
        });
    }

    /// Notes how a type is shown, where somebody wrote it.
    fn shown(&mut self, item: &syn::ItemImpl) {
        let Some((_, of, _)) = &item.trait_ else { return };
        let (Some(last), syn::Type::Path(to)) = (of.segments.last(), &*item.self_ty) else {
            return;
        };
        if TRAITS.iter().any(|name| last.ident == name) {
            let name = to.path.segments.last().unwrap().ident.to_string();
            let body = item.items.iter().flat_map(|item| match item {
                syn::ImplItem::Fn(function) => words(function.block.to_token_stream()),
                other => words(other.to_token_stream()),
            });
            self.by_hand.entry(name).or_default().push(Body(body.collect()));
        }
    }

    /// What a name stands for in a type's definition: what is nearest, of all that have the name.
    pub(crate) fn nearest(&self, name: &str, to: &Found) -> Vec<usize> {
        let named = self.named.get(name).map_or(&[][..], Vec::as_slice);
        let (module, _) = to.path.rsplit_once("::").unwrap();
        let (of_crate, _) = to.path.split_once("::").unwrap();
        let within = |place: &str| {
            let inside = |at: &&usize| {
                self.all[**at].path.strip_prefix(place).is_some_and(|rest| rest.starts_with("::"))
            };
            named.iter().filter(inside).copied().collect::<Vec<_>>()
        };
        let beside: Vec<usize> = within(module)
            .into_iter()
            .filter(|at| self.all[*at].path == format!("{module}::{name}"))
            .collect();
        let all = [beside, within(of_crate), named.to_vec()];
        all.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// How a type is shown otherwise than by what it derives.
    pub(crate) fn bodies(&self, of: &Found) -> Vec<&Body> {
        let (module, name) = of.path.rsplit_once("::").unwrap();
        let by_hand = self.by_hand.get(name).into_iter().flatten();
        let by_macro = self.by_macro.get(module).into_iter().flatten();
        by_hand.chain(by_macro).collect()
    }
}

fn named(fields: &Fields) -> BTreeMap<String, syn::Type> {
    let fields = fields.iter().enumerate().map(|(at, field)| {
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
        (name, field.ty.clone())
    });
    fields.collect()
}
