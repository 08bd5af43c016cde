//! The fields of a hash in the order that is expected: mostly they come as they were written.

use alizarin_core::resp::Reader;

use super::Document;
use crate::Result;
use crate::model::{FieldSchema, RedisValue, StoredValue};

/// Which field of a hash comes next in a reply, if it comes in the struct's order. Derived code
/// asks.
#[derive(Debug)]
pub struct Next<'r, 'a> {
    reader: &'r mut Reader<'a>,
    order: Order,
}

impl<'a> Next<'_, 'a> {
    /// The place of the field that is expected. Derived code then counts itself.
    #[inline(always)]
    pub fn place(&self) -> usize {
        self.order.at
    }

    /// Takes the field `at` its place, if this is the next one's name as a reply has it, and its value
    /// has less than 1,000 bytes.
    ///
    /// # Errors
    /// As [`StoredValue::read`](crate::model::StoredValue::read).
    #[inline(always)]
    pub fn read<T: RedisValue, const N: usize>(
        &mut self,
        at: usize,
        name: &[u8; N],
        field: &FieldSchema,
    ) -> Result<Option<T>> {
        if self.order.left == 0 {
            return Ok(None);
        }
        let Some(value) = self.reader.string_behind(name) else { return Ok(None) };
        self.order.at = at + 1;
        self.order.left -= 1;
        let text = if T::TEXT { self.reader.taken_text(value.len()) } else { None };
        let read = match text {
            Some(text) => T::from_hash_text(text, field),
            None => T::from_hash(value, field),
        };
        read.map(Some).map_err(|error| error.with_field(field.name))
    }
}

/// How far a hash was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Which field of the struct is expected next.
    at: usize,
    /// How many fields the hash still has.
    left: usize,
    /// Which one was expected when another one came for the first time, until it is known whether
    /// the order goes on there: a search gives the fields that it knows first, and then the others.
    back: Option<usize>,
    /// Whether another one than expected has come.
    strayed: bool,
}

impl Order {
    /// The order of a hash of so many fields.
    pub(crate) fn of(fields: usize) -> Order {
        Order { at: 0, left: fields, back: None, strayed: false }
    }

    /// Whether a field of the struct was taken.
    pub(crate) fn has_begun(&self) -> bool {
        self.at > 0
    }

    /// Takes the fields that come in order; whether others follow, of which the caller takes one.
    /// `LINES` says in which form names are expected.
    ///
    /// # Errors
    /// As [`Document::accept`].
    #[inline]
    pub(crate) fn go_on<D: Document, const LINES: bool>(
        &mut self,
        partial: &mut D::Partial,
        reader: &mut Reader<'_>,
    ) -> Result<bool> {
        let before = self.left;
        let mut next = Next { reader, order: *self };
        D::in_order::<LINES>(partial, &mut next)?;
        if let Some(back) = next.order.back.take()
            && next.order.left == before
        {
            next.order.at = back;
            D::in_order::<LINES>(partial, &mut next)?;
        }
        *self = next.order;
        Ok(self.count_down())
    }

    /// Whether a field follows, which the caller takes.
    pub(crate) fn count_down(&mut self) -> bool {
        let more = self.left > 0;
        self.left -= usize::from(more);
        more
    }

    /// Takes a field that came out of order; the one behind it in the struct is expected next.
    ///
    /// # Errors
    /// As [`Document::accept`].
    pub(crate) fn accept<D: Document>(
        &mut self,
        partial: &mut D::Partial,
        name: &[u8],
        value: &[u8],
    ) -> Result<()> {
        let value = StoredValue::Hash(value);
        match D::place(name) {
            Some(at) => {
                if !self.strayed {
                    (self.strayed, self.back) = (true, Some(self.at));
                }
                self.at = at + 1;
                D::accept_at(partial, at, value)?;
            }
            None => {
                D::accept(partial, name, value)?;
            }
        }
        Ok(())
    }
}
