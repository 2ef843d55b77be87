//! As much of Thrift's compact protocol as it takes to see what a Parquet file claims before a decoder believes it: how deep its schema is,
//! and to how much its pages unfold.

/// Structs, lists and maps within one another.
const DEEPEST: usize = 64;

/// What stands there cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

type Read<T> = Result<T, Broken>;

/// Bytes, and how far they were read.
pub(super) struct Compact<'b> {
    bytes: &'b [u8],
    place: usize,
}

/// A field or element: its number (0 in lists) and its type.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) id: i64,
    kind: u8,
}

impl<'b> Compact<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, place: 0 }
    }

    /// How many bytes were read.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    fn byte(&mut self) -> Read<u8> {
        let byte = self.bytes.get(self.place).copied().ok_or(Broken)?;
        self.place += 1;
        Ok(byte)
    }

    fn pass(&mut self, bytes: u64) -> Read<()> {
        let end = usize::try_from(bytes).ok().and_then(|bytes| self.place.checked_add(bytes)).ok_or(Broken)?;
        if end > self.bytes.len() {
            return Err(Broken);
        }
        self.place = end;
        Ok(())
    }

    fn varint(&mut self) -> Read<u64> {
        let mut value = 0_u64;
        for place in 0..10_u32 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(7 * place).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken)
    }

    fn zigzag(&mut self) -> Read<i64> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    /// The integer of a field.
    pub(super) fn integer(&mut self, field: Field) -> Read<i64> {
        if matches!(field.kind, 4..=6) { self.zigzag() } else { Err(Broken) }
    }

    /// Every field of a struct; what the function does not read is passed over.
    pub(super) fn each(&mut self, mut see: impl FnMut(&mut Self, Field) -> Read<bool>) -> Read<()> {
        let mut id = 0;
        while let Some(field) = self.field(&mut id)? {
            if !see(self, field)? {
                self.skip(field.kind, 0)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, id: &mut i64) -> Read<Option<Field>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        *id = match head >> 4 {
            0 => self.zigzag()?,
            delta => id.checked_add(i64::from(delta)).ok_or(Broken)?,
        };
        Ok(Some(Field { id: *id, kind: head & 0x0f }))
    }

    /// How many structs the list of a field has.
    pub(super) fn structs(&mut self, field: Field) -> Read<u64> {
        match (field.kind, self.list(field.kind)?) {
            (9 | 10, (count, 12)) => Ok(count),
            _ => Err(Broken),
        }
    }

    fn list(&mut self, kind: u8) -> Read<(u64, u8)> {
        if !matches!(kind, 9 | 10) {
            return Err(Broken);
        }
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Ok((count, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Read<()> {
        if depth > DEEPEST {
            return Err(Broken);
        }
        match kind {
            // What is true or false as a field stands in its head.
            1 | 2 => Ok(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let (count, element) = self.list(kind)?;
                for _ in 0..count {
                    self.element(element, depth)?;
                }
                Ok(())
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.element(kinds >> 4, depth)?;
                    self.element(kinds & 0x0f, depth)?;
                }
                Ok(())
            }
            12 => {
                let mut id = 0;
                while let Some(field) = self.field(&mut id)? {
                    self.skip(field.kind, depth + 1)?;
                }
                Ok(())
            }
            13 => self.pass(16),
            _ => Err(Broken),
        }
    }

    /// An element of a list or map, of which each takes a byte at least: a count beyond the bytes ends soon.
    fn element(&mut self, kind: u8, depth: usize) -> Read<()> {
        if matches!(kind, 1 | 2) { self.pass(1) } else { self.skip(kind, depth + 1) }
    }
}

/// How deep the schema in a footer is, and how many elements it has.
pub(super) fn schema(footer: &[u8]) -> Read<(usize, u64)> {
    let (mut deepest, mut count) = (0, 0);
    Compact::new(footer).each(|compact, field| {
        if field.id != 2 {
            return Ok(false);
        }
        count = compact.structs(field)?;
        // Children that are still to come, level by level.
        let mut open: Vec<i64> = Vec::new();
        for _ in 0..count {
            let mut children = 0;
            compact.each(|compact, field| match field.id {
                5 => {
                    children = compact.integer(field)?;
                    Ok(true)
                }
                _ => Ok(false),
            })?;
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            open.push(children.max(0));
            deepest = deepest.max(open.len());
        }
        Ok(true)
    })?;
    Ok((deepest, count))
}

/// What the head of a page claims.
pub(super) struct Page {
    /// Bytes of the head itself.
    pub(super) head: usize,
    /// Bytes of what follows.
    pub(super) folded: i64,
    /// Bytes of that, unfolded.
    pub(super) unfolded: i64,
    /// Values in it.
    pub(super) values: i64,
    /// Whether they are those that others refer to.
    pub(super) dictionary: bool,
}

/// The head of a page.
pub(super) fn page(bytes: &[u8]) -> Read<Page> {
    let mut compact = Compact::new(bytes);
    let (mut folded, mut unfolded, mut values, mut dictionary) = (-1, -1, 0, false);
    compact.each(|compact, field| {
        match field.id {
            2 => unfolded = compact.integer(field)?,
            3 => folded = compact.integer(field)?,
            // The heads of data, of a dictionary, and of data of the second edition: each begins with how many values there are.
            5 | 7 | 8 if field.kind == 12 => {
                dictionary |= field.id == 7;
                compact.each(|compact, field| match field.id {
                    1 => {
                        values = values.max(compact.integer(field)?);
                        Ok(true)
                    }
                    _ => Ok(false),
                })?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if folded < 0 || unfolded < 0 {
        return Err(Broken);
    }
    Ok(Page { head: compact.place(), folded, unfolded, values, dictionary })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A footer whose schema is a chain so long.
    pub(in crate::scan::tables) fn chain(length: usize) -> Vec<u8> {
        // Version 1; a list of structs whose only field is the number of children.
        let mut footer = vec![0x15, 0x02, 0x19, 0xfc];
        let mut count = length;
        while count > 127 {
            footer.push(u8::try_from(count & 0x7f).unwrap() | 0x80);
            count >>= 7;
        }
        footer.push(u8::try_from(count).unwrap());
        for _ in 0..length {
            // Name `a`, one child.
            footer.extend([0x48, 0x01, b'a', 0x15, 0x02, 0x00]);
        }
        footer.push(0);
        footer
    }

    #[test]
    fn a_schema_says_how_deep_it_is() {
        assert_eq!(schema(&chain(5)), Ok((5, 5)));
        assert_eq!(schema(&chain(100_000)), Ok((100_000, 100_000)));
        assert_eq!(schema(&chain(5)[..10]), Err(Broken));
        let (deep, count) = schema(&[0x19, 0x3c, 0x15, 0x04, 0, 0, 0, 0]).unwrap_or((0, 0));
        assert!((deep, count) == (0, 0), "field 1 is no schema");
        crate::scan::tests::flipped(&chain(8), |bytes| drop(schema(&bytes)));
        assert_eq!(schema(&[0x9c; 200]), Err(Broken), "structs without end");
        let mut many = vec![0x19, 0xf3];
        many.extend([0xff; 9]);
        assert_eq!(schema(&many), Err(Broken));
    }

    #[test]
    fn a_page_says_to_how_much_it_unfolds() {
        let head = [0x15, 0x00, 0x15, 0x80, 0x02, 0x15, 0x14, 0x00, 0xff];
        let page = page(&head).unwrap();
        assert_eq!((page.head, page.folded, page.unfolded), (8, 10, 128));
        assert!(super::page(&head[..5]).is_err() && super::page(&[0]).is_err());
    }
}
