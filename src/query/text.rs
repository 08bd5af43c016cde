//! Full text: words, phrases, and words that are nearly right.

use super::filter::{Leaf, wrong};
use super::tag::short;
use super::tokenize::{is_stop_word, words};
use super::{Field, FieldSpec, Filter, IsText, QueryWriter, attribute_name};
use crate::model::RedisModel;
use crate::{ErrorKind, Result};

impl<S: FieldSpec> Field<S> {
    /// The field holds all words of `text`, in any order.
    ///
    /// The text is split as the server splits documents, its stop words are left out, and words
    /// match by their stem unless the field has `no_stem`. The query gives a `Value` error for text
    /// that leaves no word.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let film = films.find(|f| f.plot.matches("astronaut on a ship")).one().await?;
    /// assert_eq!(film.title, "Apollo 13");
    /// # Ok(()) });
    /// ```
    pub fn matches<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(text, |text, out| list::<S>(text.as_ref(), " ", "", out)))
    }

    /// The field holds at least one word of `text`; see [`Field::matches`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.plot.matches_any("astronaut crew")).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn matches_any<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(text, |text, out| list::<S>(text.as_ref(), "|", "", out)))
    }

    /// The field holds the words of `text` side by side in this order; see [`Field::matches`].
    ///
    /// Stop words count neither in the text nor in documents. The server does not tell a word
    /// that is repeated at once (`new new york`) from one that is not, nor the end of one TEXT
    /// field from the beginning of the next.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.plot.phrase("back to Earth")).one().await?.title, "Apollo 13");
    /// assert_eq!(films.find(|f| f.plot.phrase("Earth back")).count().await?, 0);
    /// # Ok(()) });
    /// ```
    pub fn phrase<V: AsRef<str> + Send + Sync>(self, text: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(text, |text, out| {
            list::<S>(text.as_ref(), " ", "=>{$inorder:true;$slop:0}", out)
        }))
    }

    /// A word of the field begins with `word`, one word of at least two bytes; else the query gives
    /// a `Value` error.
    ///
    /// The server looks at no more than 200 different words (`MAXPREFIXEXPANSIONS`) and does not
    /// say when there were more.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.title.prefix("air")).one().await?.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn prefix<V: AsRef<str> + Send + Sync>(self, word: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(word, |word, out| part::<S>("", word.as_ref(), "*", out)))
    }

    /// A word of the field ends with `word`, of at least two bytes.
    ///
    /// Without `suffix_trie` on the field the server goes through all words of the index, or
    /// refuses when another field has it; 200 words at most, as for [`Field::prefix`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.title.suffix("plane")).one().await?.title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn suffix<V: AsRef<str> + Send + Sync>(self, word: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(word, |word, out| part::<S>("*", word.as_ref(), "", out)))
    }

    /// A word of the field holds `word`, of at least two bytes; it costs what
    /// [`Field::suffix`] costs.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.title.infix("unn")).one().await?.title, "Blade Runner");
    /// # Ok(()) });
    /// ```
    pub fn infix<V: AsRef<str> + Send + Sync>(self, word: V) -> Filter<S::Model, Leaf<V>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new(word, |word, out| part::<S>("*", word.as_ref(), "*", out)))
    }

    /// A word of the field is `word` with at most `distance` letters wrong, missing or too many:
    /// 1, 2 or 3. Two letters in the wrong order are two wrong ones.
    ///
    /// The query gives a `Usage` error for another distance, and a `Value` error for text that is
    /// not one word.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.title.fuzzy("apolo", 1)).one().await?.title, "Apollo 13");
    /// # Ok(()) });
    /// ```
    pub fn fuzzy<V: AsRef<str> + Send + Sync>(
        self,
        word: V,
        distance: u8,
    ) -> Filter<S::Model, Leaf<(V, u8)>>
    where
        S: IsText,
    {
        Filter::of(Leaf::new((word, distance), |(word, distance), out| {
            let marks = match distance {
                1 => "%",
                2 => "%%",
                3 => "%%%",
                _ => {
                    let message = format!("a fuzzy distance is 1, 2 or 3, not {distance}");
                    return Err(wrong(ErrorKind::Usage, &attribute_name::<S>(), message));
                }
            };
            let word = one_word::<S>(word.as_ref())?;
            term::<S>(marks, &word, marks, out);
            Ok(())
        }))
    }
}

/// `(@f:(($p0) ($p1)))`: each word in parentheses of its own, since the server nests bare
/// parameters in pairs, in which an order cannot be checked.
fn list<S: FieldSpec>(
    text: &str,
    between: &str,
    options: &str,
    out: &mut QueryWriter,
) -> Result<()> {
    let stop_words = S::Model::SCHEMA.index.and_then(|index| index.stop_words);
    let mut words = words(text);
    words.retain(|word| !is_stop_word(word, stop_words));
    if words.is_empty() {
        let message =
            format!("{text:?} has no word to search for, only stop words and punctuation");
        return Err(wrong(ErrorKind::Value, &attribute_name::<S>(), message));
    }
    out.push("(");
    out.text_attribute::<S>();
    out.push(":(");
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push(between);
        }
        out.push("(");
        out.word(word.as_bytes());
        out.push(")");
    }
    out.push(")");
    if words.len() > 1 {
        out.push(options);
    }
    out.push(")");
    Ok(())
}

fn part<S: FieldSpec>(open: &str, text: &str, close: &str, out: &mut QueryWriter) -> Result<()> {
    let word = one_word::<S>(text)?;
    if word.len() < 2 {
        return Err(short::<S>(text));
    }
    term::<S>(open, &word, close, out);
    Ok(())
}

fn term<S: FieldSpec>(open: &str, word: &str, close: &str, out: &mut QueryWriter) {
    out.push("(");
    out.text_attribute::<S>();
    out.push(":(");
    out.push(open);
    out.word(word.as_bytes());
    out.push(close);
    out.push("))");
}

fn one_word<S: FieldSpec>(text: &str) -> Result<String> {
    let mut words = words(text);
    match (words.pop(), words.is_empty()) {
        (Some(word), true) => Ok(word),
        _ => {
            let message = format!("{text:?} is not one word, as the server splits text");
            Err(wrong(ErrorKind::Value, &attribute_name::<S>(), message))
        }
    }
}
