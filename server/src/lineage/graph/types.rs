//! The words of the graph: what nodes and edges are, and how they are written.

/// Writes an enum, its names in text, and its number in a packed edge label.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $word:literal,)+ } else $last:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$item_doc])* $item,)+ }

        impl $name {
            /// Every value, in the order of its number.
            pub const ALL: &[Self] = &[$(Self::$item,)+];

            /// The name used in facts, tables and on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$item => $word,)+ }
            }

            /// The value of a name; `None` for any other text.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$item),)+ _ => None }
            }

            /// The value of a number. Numbers come only from `self as u8`; others read as the last value.
            #[must_use]
            #[inline(always)]
            pub const fn from_bits(bits: u8) -> Self {
                $(if bits == Self::$item as u8 { return Self::$item; })+
                Self::$last
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a node is.
    NodeKind {
        /// An immutable version of a dataset.
        DatasetVersion = "dataset_version",
        /// An execution.
        Run = "run",
        /// An immutable version of a model.
        ModelVersion = "model_version",
        /// One composition proposed for a deployment.
        Release = "release",
        /// A lasting use of releases in an environment.
        Deployment = "deployment",
        /// A party that something was disclosed to.
        Party = "party",
    } else Party
}

words! {
    /// What an edge says: always from the effect to its cause.
    EdgeKind {
        /// A run to what it read.
        Used = "used",
        /// An output to the run that wrote it.
        Generated = "generated",
        /// A deployment to a dataset it reads about people when it runs.
        ServesOn = "serves_on",
        /// A dataset to the deployment that writes it.
        Emits = "emits",
        /// A release to a model version or an index dataset in it.
        ComposedOf = "composed_of",
        /// A deployment to a release that was active in it.
        Runs = "runs",
        /// What another party received to where it came from.
        DisclosedTo = "disclosed_to",
    } else DisclosedTo
}

words! {
    /// What a run read something for.
    Role {
        /// Not said: counts like training.
        None = "none",
        /// To learn from.
        Training = "training",
        /// To choose between settings.
        Validation = "validation",
        /// To measure.
        Test = "test",
        /// To look for bias.
        BiasCheck = "bias_check",
        /// To look up while running (code lists, tables).
        Reference = "reference",
    } else Reference
}

words! {
    /// How an edge is known.
    Origin {
        /// Somebody said so.
        Declared = "declared",
        /// An engine reported it.
        Observed = "observed",
        /// Inputs times outputs.
        Inferred = "inferred",
    } else Inferred
}

impl Role {
    /// Whether what was read only chose between settings, or was held against what was made: nothing was made of it.
    #[must_use]
    #[inline(always)]
    pub const fn measures(self) -> bool {
        matches!(self, Self::Validation | Self::Test | Self::BiasCheck)
    }
}

/// A node of one graph; numbers are given densely by [`super::Graph::add_node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The number as an index.
    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a walk needs to know of a node without asking the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// A run that applies a model: what it writes carries the model's people as shaped only.
    pub const INFERS: Self = Self(1);
    /// A run that makes or changes a model: what it reads must be lawful for its purpose from its start.
    pub const TRAINS: Self = Self(1 << 1);
    /// A dataset version that holds data collected from people.
    pub const SOURCE: Self = Self(1 << 2);
    /// Named by an edge, never registered.
    pub const DANGLING: Self = Self(1 << 3);
    /// Has a field nobody classified.
    pub const UNCLASSIFIED: Self = Self(1 << 4);
    /// A root that does not say where it comes from.
    pub const NO_ORIGIN: Self = Self(1 << 5);
    /// A model of another provider, with files.
    pub const ACQUIRED: Self = Self(1 << 6);
    /// A model behind somebody else's endpoint.
    pub const ENDPOINT: Self = Self(1 << 7);
    /// The rows are gone; digest and lineage stay.
    pub const ERASED: Self = Self(1 << 8);
    /// Held, but not to be read.
    pub const RESTRICTED: Self = Self(1 << 9);
    /// A mistaken registration.
    pub const RETIRED: Self = Self(1 << 10);

    /// Whether every flag of `other` is set.
    #[must_use]
    #[inline(always)]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags but those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

/// What the graph keeps of a node: sixteen bytes, read together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// How far it identifies people beyond what it states, by what it was made of; 0 for nothing beyond.
    pub implied: u8,
    /// What a walk needs to know of it.
    pub flags: Flags,
    /// An index whose meaning others define (the node's class of categories and identifiability).
    pub class: u32,
    /// The number of the dataset it is a version of; 0 for what is none.
    pub dataset: u32,
    /// The number of the end of its retention; 0 where none is stated.
    pub end: u32,
}

const _: () = assert!(size_of::<Node>() == 16, "nodes are read on every step of a walk");

impl Node {
    /// What a number the graph never gave reads as: something named but never registered, so that rules refuse it.
    pub const MISSING: Self = Self {
        kind: NodeKind::DatasetVersion,
        implied: 0,
        flags: Flags(Flags::DANGLING.0 | Flags::NO_ORIGIN.0),
        class: u32::MAX,
        dataset: 0,
        end: 0,
    };

    /// A node without flags, of class 0.
    #[must_use]
    pub const fn new(kind: NodeKind) -> Self {
        Self { kind, implied: 0, flags: Flags(0), class: 0, dataset: 0, end: 0 }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::MISSING
    }
}

/// An edge: `from` is the effect, `to` its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The effect.
    pub from: NodeId,
    /// The cause.
    pub to: NodeId,
    /// What it says.
    pub kind: EdgeKind,
    /// What the cause was read for.
    pub role: Role,
    /// How it is known.
    pub origin: Origin,
    /// The sequence of its fact in the ledger.
    pub seq: u64,
}

/// An edge seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Half {
    /// The other end.
    pub node: NodeId,
    /// What the edge says.
    pub kind: EdgeKind,
    /// What the cause was read for.
    pub role: Role,
    /// How it is known.
    pub origin: Origin,
    /// The sequence of its fact in the ledger.
    pub seq: u64,
}

impl Half {
    /// The edge for a walk that carries something.
    #[must_use]
    #[inline(always)]
    pub const fn link(&self) -> Link {
        Link { node: self.node, label: pack(self.kind, self.role, self.origin) }
    }
}

/// An edge as the node it leaves keeps it for walks: eight bytes, unpacked where it matters only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// The other end.
    pub node: NodeId,
    /// Kind, role and origin.
    pub(super) label: u8,
}

impl Default for Link {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

impl Link {
    /// An edge to a node, with kind, role and origin as [`pack`] packs them.
    #[inline(always)]
    pub(super) const fn new(to: u32, label: u8) -> Self {
        Self { node: NodeId(to), label }
    }

    /// The same, with the sequence of its fact.
    #[inline(always)]
    pub(super) const fn half(self, seq: u64) -> Half {
        Half { node: self.node, kind: self.kind(), role: self.role(), origin: Origin::from_bits(self.label >> 6), seq }
    }

    /// What the edge says.
    #[must_use]
    #[inline(always)]
    pub const fn kind(&self) -> EdgeKind {
        EdgeKind::from_bits(self.label & 7)
    }

    /// What the cause was read for.
    #[must_use]
    #[inline(always)]
    pub const fn role(&self) -> Role {
        Role::from_bits(self.label >> 3 & 7)
    }

    /// Whether the edge is one of a [`Labels`] set.
    #[must_use]
    #[inline(always)]
    pub const fn is_in(&self, labels: &Labels) -> bool {
        labels.0[self.label as usize]
    }
}

/// A set of edges by kind and role, looked up in one step.
pub struct Labels([bool; 256]);

impl Labels {
    /// No edge.
    pub const NONE: Self = Self([false; 256]);

    /// The edges that `is_in` says yes to.
    #[must_use]
    pub fn new(is_in: impl Fn(EdgeKind, Role) -> bool) -> Self {
        Self(std::array::from_fn(|label| {
            let link = Link::new(0, u8::try_from(label).unwrap_or(u8::MAX));
            is_in(link.kind(), link.role())
        }))
    }
}

/// Which way a walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From effects to causes: what it came from.
    Upstream,
    /// From causes to effects: what came of it.
    Downstream,
}

/// Kind, role and origin in one byte: three bits, three bits, two bits.
#[inline]
pub(super) const fn pack(kind: EdgeKind, role: Role, origin: Origin) -> u8 {
    kind as u8 | (role as u8) << 3 | (origin as u8) << 6
}
