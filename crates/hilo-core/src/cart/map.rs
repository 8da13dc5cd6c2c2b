//! Ordered maps and sets for the page: pairs in a sorted `Vec`, with as much of `BTreeMap`'s interface as the cart uses.
//!
//! A cart is small (`limits`), and trees of nodes for five types were half of the page's module. The edge keeps std's, so that
//! what the laws and simulations compare is independent of this; `cargo test -p hilo-core --no-default-features` runs the
//! cart's own tests on it.

use std::ops::RangeInclusive;

/// A map in the order of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BTreeMap<K, V>(Vec<(K, V)>);

impl<K, V> Default for BTreeMap<K, V> {
    fn default() -> BTreeMap<K, V> {
        BTreeMap(Vec::new())
    }
}

impl<K: Ord, V> BTreeMap<K, V> {
    /// A map without anything in it.
    pub const fn new() -> BTreeMap<K, V> {
        BTreeMap(Vec::new())
    }

    /// Where the key is, or would be.
    #[inline(never)]
    fn find(&self, key: &K) -> Result<usize, usize> {
        for (at, (known, _)) in self.0.iter().enumerate() {
            match known.cmp(key) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => return Ok(at),
                std::cmp::Ordering::Greater => return Err(at),
            }
        }
        Err(self.0.len())
    }

    /// The value of the key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let at = self.find(key).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// The value of the key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Puts the value in the key's place; what stood there before.
    #[inline(never)]
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => self.0.get_mut(at).map(|(_, known)| std::mem::replace(known, value)),
            Err(at) => {
                self.put(at, key, value);
                None
            }
        }
    }

    /// Puts a new pair at its place: `Vec::insert` can panic, which would bring the formatting of numbers along.
    #[inline(never)]
    fn put(&mut self, at: usize, key: K, value: V) {
        self.0.push((key, value));
        let mut end = self.0.len();
        while end > at.saturating_add(1) {
            if let Some([.., before, last]) = self.0.get_mut(..end) {
                std::mem::swap(before, last);
            }
            end -= 1;
        }
    }

    /// Takes the key out.
    pub fn remove(&mut self, key: &K) {
        self.0.retain(|(known, _)| known != key);
    }

    /// The key's place, to be looked at and filled.
    pub fn entry(&mut self, key: K) -> Slot<'_, K, V> {
        Slot { map: self, key }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter(self.0.iter())
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The keys alone, in order.
    pub fn into_keys(self) -> impl Iterator<Item = K> {
        self.0.into_iter().map(|(key, _)| key)
    }

    /// The values, in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// Keeps what `wanted` says yes to.
    pub fn retain(&mut self, mut wanted: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| wanted(key, value));
    }
}

/// A key's place.
pub struct Slot<'a, K, V> {
    map: &'a mut BTreeMap<K, V>,
    key: K,
}

impl<'a, K: Ord + Clone, V> Slot<'a, K, V> {
    /// The value in it; `value` if there was none.
    #[expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "it was just put there")]
    pub fn or_insert(self, value: V) -> &'a mut V {
        let at = match self.map.find(&self.key) {
            Ok(at) => at,
            Err(at) => {
                self.map.put(at, self.key, value);
                at
            }
        };
        &mut self.map.0.get_mut(at).unwrap().1
    }

    /// The value in it; the type's default if there was none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert(V::default())
    }
}

/// Keys and values, in order.
#[derive(Clone)]
pub struct Iter<'a, K, V>(std::slice::Iter<'a, (K, V)>);

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<(&'a K, &'a V)> {
        self.0.next().map(|(key, value)| (key, value))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl<'a, K, V> IntoIterator for &'a BTreeMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        Iter(self.0.iter())
    }
}

impl<K, V> IntoIterator for BTreeMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord, V> Extend<(K, V)> for BTreeMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for BTreeMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> BTreeMap<K, V> {
        let mut map = BTreeMap::new();
        map.extend(pairs);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for BTreeMap<K, V> {
    fn from(pairs: [(K, V); N]) -> BTreeMap<K, V> {
        pairs.into_iter().collect()
    }
}

/// For tests, as std's has it.
#[cfg(test)]
impl<K: Ord, V> std::ops::Index<&K> for BTreeMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).unwrap()
    }
}

/// A set in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BTreeSet<T>(BTreeMap<T, ()>);

impl<T> Default for BTreeSet<T> {
    fn default() -> BTreeSet<T> {
        BTreeSet(BTreeMap::default())
    }
}

impl<T: Ord> BTreeSet<T> {
    /// Whether it is in the set.
    pub fn contains(&self, one: &T) -> bool {
        self.0.contains_key(one)
    }

    /// Puts it in; whether it was not there before.
    pub fn insert(&mut self, one: T) -> bool {
        self.0.insert(one, ()).is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.keys()
    }

    /// Those from the first to the last of `range`, in order.
    pub fn range(&self, range: RangeInclusive<T>) -> impl DoubleEndedIterator<Item = &T> {
        self.0.keys().filter(move |one| range.contains(one))
    }

    /// Keeps what `wanted` says yes to.
    pub fn retain(&mut self, mut wanted: impl FnMut(&T) -> bool) {
        self.0.retain(|one, ()| wanted(one));
    }
}

impl<T: Ord> Extend<T> for BTreeSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, all: I) {
        for one in all {
            self.insert(one);
        }
    }
}

impl<'a, T: Ord + Copy + 'a> Extend<&'a T> for BTreeSet<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, all: I) {
        self.extend(all.into_iter().copied());
    }
}

impl<'a, T> IntoIterator for &'a BTreeSet<T> {
    type Item = &'a T;
    type IntoIter = std::iter::Map<Iter<'a, T, ()>, fn((&'a T, &'a ())) -> &'a T>;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter().map(|(one, ())| one)
    }
}

impl<T: Ord> FromIterator<T> for BTreeSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> BTreeSet<T> {
        let mut set = BTreeSet::default();
        set.extend(all);
        set
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for BTreeSet<T> {
    fn from(all: [T; N]) -> BTreeSet<T> {
        all.into_iter().collect()
    }
}
