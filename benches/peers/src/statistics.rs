//! Medians, and how far figures lie from them.

use serde::Serialize;

/// A median, and the median absolute deviation from it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub deviation: f64,
}

impl Spread {
    pub fn of(figures: &[f64]) -> Spread {
        let middle = median(figures);
        let away: Vec<f64> = figures.iter().map(|figure| (figure - middle).abs()).collect();
        Spread { median: middle, deviation: median(&away) }
    }
}

/// The median; 0 of nothing.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        even if even.is_multiple_of(2) => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

/// What `share` of the sorted figures do not exceed; 0 of nothing.
pub fn percentile(sorted: &[u64], share: f64) -> u64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_not_moved_by_one_outlier() {
        let spread = Spread::of(&[10.0, 11.0, 9.0, 10.0, 1_000.0]);
        assert_eq!(spread, Spread { median: 10.0, deviation: 1.0 });
        assert_eq!(median(&[1.0, 2.0]), 1.5);
    }

    #[test]
    fn a_percentile_is_one_of_the_figures() {
        let figures: Vec<u64> = (1..=1_000).collect();
        assert_eq!(percentile(&figures, 0.5), 500);
        assert_eq!(percentile(&figures, 0.999), 999);
        assert_eq!(percentile(&[7], 0.99), 7);
        assert_eq!(percentile(&[], 0.99), 0);
    }
}
