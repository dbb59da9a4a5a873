/// Length-prefixed items of one file, found even where one length is damaged.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "broker/core/bytes.h"

namespace flagpost::auditor {

/// Entries have 2 bytes of length, bodies 4, big-endian.
enum class Prefix : std::size_t { entry = 2, body = 4 };

struct Items {
    std::vector<BytesView> items;  // in the file; fewer than asked for if the rest cannot be found
    std::optional<std::size_t> damaged_length;  // the item whose length was wrong and could be put right
    bool runs_on = false;                       // bytes are left after the last item
};

/// Whether these are the bytes item `place` should have.
enum class Verdict { wrong, unknown, right };
using Judge = std::function<Verdict(std::size_t place, BytesView item)>;

/// The `count` items of `file`. One changed length would make everything behind it unreadable; where the items do not
/// end with the file, the length of the first item that is not right is tried with each other value of each byte, and
/// the one taken with which the rest does end with the file.
Items items_of(BytesView file, Prefix prefix, std::size_t count, const Judge& judge);

/// Appends an item. Throws std::length_error if its length does not fit the prefix.
void append_item(Bytes& out, Prefix prefix, BytesView item);

}  // namespace flagpost::auditor
