//! One pass over the columns of a period, for one figure or for several at once: each column is
//! read once, and which rows count and how they ended is found once.
//!
//! Not here: which rows count (`period.rs`), and what each figure makes of them (its own file).

use super::period::{Period, Sheet};
use crate::columns::Columns;
use segment::SegmentError;

/// Something that is counted over a period; several of them together are one, too.
pub trait Figure: Sized {
    /// What a chunk has of it.
    type Part: Send;

    /// The columns that it reads of every chunk with a row that counts.
    fn columns() -> Vec<&'static str>;

    /// Counts a chunk, whose sheet may be empty.
    ///
    /// # Errors
    /// [`SegmentError`] when a column does not read.
    fn part(sheet: &mut Sheet<'_>) -> Result<Self::Part, SegmentError>;

    /// All chunks together; the parts come in the order of the records.
    fn sum(parts: Vec<Self::Part>) -> Self;
}

/// Counts a period: one figure, or a tuple of several.
///
/// # Errors
/// [`SegmentError`] when a segment does not read.
pub fn in_one_pass<F: Figure>(columns: &Columns, period: &Period) -> Result<F, SegmentError> {
    let (question, names) = (columns.begin(), F::columns());
    let part = |chunk| F::part(&mut Sheet::open(columns, question, chunk, period, &names)?);
    Ok(F::sum(columns.each(part)?))
}

/// Figures that are counted together.
macro_rules! together {
    ($($figure:ident $at:tt),+) => {
        impl<$($figure: Figure),+> Figure for ($($figure,)+) {
            type Part = ($($figure::Part,)+);

            fn columns() -> Vec<&'static str> {
                [$($figure::columns()),+].concat()
            }

            fn part(sheet: &mut Sheet<'_>) -> Result<Self::Part, SegmentError> {
                Ok(($($figure::part(sheet)?,)+))
            }

            fn sum(parts: Vec<Self::Part>) -> Self {
                let mut each = ($(Vec::<$figure::Part>::with_capacity(parts.len()),)+);
                for part in parts {
                    $(each.$at.push(part.$at);)+
                }
                ($($figure::sum(each.$at),)+)
            }
        }
    };
}

together!(A 0, B 1);
together!(A 0, B 1, C 2);
together!(A 0, B 1, C 2, D 3);
