/// One leaf of the log as a value, and its bytes (schemas/leaf.fbs; catalogue in README.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "broker/core/result.h"
#include "leaf_generated.h"

namespace flagpost::log {

using schemas::LeafKind;
using schemas::Operation;

/// Leaves `first` to `last`, both included.
struct IndexRange {
    std::uint64_t first;
    std::uint64_t last;
    friend auto operator<=>(const IndexRange&, const IndexRange&) = default;
};

/// Indexes in any order, some perhaps twice, as the fewest ranges.
std::vector<IndexRange> to_ranges(std::vector<std::uint64_t> indexes);

struct Leaf {
    LeafKind kind = LeafKind::none;
    Operation operation = Operation::none;
    std::uint64_t index = 0;
    Instant time{};
    std::string actor;  // SPIFFE id; the broker's own for what it does itself
    std::optional<Digest> certificate;
    std::optional<Id16> user;  // HMAC of the named person
    std::string recipient;     // agency told
    std::optional<Id16> session;
    std::string topic;
    std::optional<Id16> message;  // Envelope.id or notice id
    std::uint64_t number = 0;
    std::vector<Id16> subjects;  // HMACs
    std::optional<Digest> body;
    std::optional<Digest> agreement;
    std::string rule;
    std::string purpose;
    std::vector<std::string> legal_basis;
    std::string outcome;
    std::optional<Digest> engine;
    std::uint32_t candidates = 0;
    std::optional<std::uint64_t> related;
    std::vector<IndexRange> erased;  // leaves whose bodies this one destroyed; ascending, not touching
    std::optional<Digest> setting;   // of the text put in force, with parties_set and keys_set
    friend bool operator==(const Leaf&, const Leaf&) = default;
};

/// The exact bytes that are hashed and stored; at most 65,535.
Bytes encode(const Leaf& leaf);

/// A leaf from foreign bytes: verified, bounded, refused with the field at fault.
Result<Leaf> decode_leaf(BytesView bytes);

}  // namespace flagpost::log
