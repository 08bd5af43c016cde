//! What a type's definition alone proves: that it has no secret inside, or shows nothing that may be
//! one.

use std::collections::{BTreeSet, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type};

use crate::types::{Found, Types};

/// What cannot have a secret inside, whoever makes it.
const PLAIN: [&str; 31] = [
    "AtomicBool",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "Duration",
    "ExitStatus",
    "Instant",
    "IpAddr",
    "NonZeroU32",
    "NonZeroU64",
    "Notify",
    "Ordering",
    "PhantomData",
    "Semaphore",
    "SocketAddr",
    "SystemTime",
    "TypeId",
    "bool",
    "char",
    "f32",
    "f64",
    "i16",
    "i32",
    "i64",
    "i8",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
];

/// What has a secret inside only where one of its parameters has.
const HOLDERS: [&str; 14] = [
    "Arc", "BTreeMap", "BTreeSet", "Box", "Cow", "HashMap", "HashSet", "Mutex", "OnceLock",
    "Option", "Range", "Result", "Vec", "VecDeque",
];

/// What a value's part is asked for and tells nothing of its contents.
const SIZES: [&str; 4] = ["is_empty", "is_none", "is_some", "len"];

/// What somebody wrote to show a type, in words.
pub(crate) struct Body(pub(crate) Vec<String>);

/// The words of a piece of source.
pub(crate) fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => {
            let inner = words(group.stream());
            [vec!["(".to_owned()], inner, vec![")".to_owned()]].concat()
        }
        token => vec![token.to_string()],
    });
    words.collect()
}

impl Types {
    /// The public types of which the definition does not prove that they show no secret, where these
    /// `trusted` ones are known to show none.
    pub(crate) fn suspects(&self, trusted: &BTreeSet<String>) -> BTreeSet<String> {
        let proof = Proof { types: self, trusted };
        let public = self.all.iter().enumerate().filter(|(_, found)| found.public);
        let suspects = public.filter(|(at, _)| !proof.is_clean(*at, &mut HashSet::new()));
        suspects.map(|(_, found)| found.path.clone()).collect()
    }
}

#[derive(Clone, Copy)]
struct Proof<'a> {
    types: &'a Types,
    trusted: &'a BTreeSet<String>,
}

impl Proof<'_> {
    /// Whether a type shows no part of its value that may be a secret.
    fn is_clean(self, at: usize, seen: &mut HashSet<usize>) -> bool {
        let found = &self.types.all[at];
        if self.trusted.contains(&found.path) || !seen.insert(at) {
            // Of what has itself inside the other parts decide.
            return true;
        }
        let mut fields = found.fields.values();
        if fields.all(|field| self.is_plain(field, found, seen)) {
            return true;
        }
        let bodies = self.types.bodies(found);
        !found.derived
            && !bodies.is_empty()
            && bodies.iter().all(|body| self.is_discreet(body, found, seen))
    }

    /// Whether what is written shows fields alone that are plain, or how many there are in one.
    fn is_discreet(self, body: &Body, of: &Found, seen: &mut HashSet<usize>) -> bool {
        let words = &body.0;
        words.iter().enumerate().filter(|(_, word)| word.contains("self")).all(|(at, word)| {
            let after = |step: usize| words.get(at + step).map_or("", String::as_str);
            let (true, ".") = (word == "self", after(1)) else { return false };
            let Some(kind) = of.fields.get(after(2)) else { return false };
            match after(3) {
                "." if SIZES.contains(&after(4)) && after(6) == ")" => true,
                // What a part of it gives may be more than it shows itself.
                "." => false,
                _ => self.is_plain(kind, of, seen),
            }
        })
    }

    fn is_plain(self, kind: &Type, of: &Found, seen: &mut HashSet<usize>) -> bool {
        match kind {
            Type::Array(array) => self.is_plain(&array.elem, of, seen),
            Type::Slice(slice) => self.is_plain(&slice.elem, of, seen),
            Type::Tuple(tuple) => tuple.elems.iter().all(|one| self.is_plain(one, of, seen)),
            Type::Reference(to) => {
                // A text of the program.
                let lasts = to.lifetime.as_ref().is_some_and(|life| life.ident == "static");
                let text = to.elem.to_token_stream().to_string() == "str";
                lasts && text || self.is_plain(&to.elem, of, seen)
            }
            Type::BareFn(_) | Type::Never(_) => true,
            Type::Path(path) => {
                let (Some(first), Some(last)) =
                    (path.path.segments.first(), path.path.segments.last())
                else {
                    return false;
                };
                let name = last.ident.to_string();
                // What a parameter shows is the matter of whoever chose it.
                let chosen =
                    path.qself.is_some() || of.parameters.contains(&first.ident.to_string());
                if chosen || PLAIN.contains(&name.as_str()) {
                    return true;
                }
                let known = self.types.nearest(&name, of);
                let holds = !known.is_empty() || HOLDERS.contains(&name.as_str());
                holds
                    && known.into_iter().all(|at| self.is_clean(at, seen))
                    && arguments(last).all(|one| self.is_plain(one, of, seen))
            }
            _ => false,
        }
    }
}

fn arguments(of: &syn::PathSegment) -> impl Iterator<Item = &Type> {
    let list = match &of.arguments {
        PathArguments::AngleBracketed(list) => Some(&list.args),
        _ => None,
    };
    list.into_iter().flatten().filter_map(|one| match one {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}
