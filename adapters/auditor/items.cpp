#include "adapters/auditor/items.h"

#include <stdexcept>

namespace flagpost::auditor {
namespace {

/// A place in the file, moving from item to item.
struct Walk {
    BytesView file;
    std::size_t prefix_size;
    std::size_t at = 0;

    /// The item here, if all of it is in the file.
    std::optional<BytesView> item() const {
        if (file.size() - at < prefix_size) return std::nullopt;
        return item_of(read_be(file.subspan(at, prefix_size)));
    }
    std::optional<BytesView> item_of(std::size_t length) const {
        if (file.size() - at < prefix_size || file.size() - at - prefix_size < length) return std::nullopt;
        return file.subspan(at + prefix_size, length);
    }
    void pass(BytesView item) { at += prefix_size + item.size(); }

    bool ends_after(std::size_t count) const {
        auto walk = *this;
        for (; count > 0; --count) {
            const auto next = walk.item();
            if (!next) return false;
            walk.pass(*next);
        }
        return walk.at == file.size();
    }
};

/// The item here if one byte of its length is put right so that `count` items, this one first, end with the file:
/// one whose bytes are right, or else, if this one is plainly wrong, one that only fits.
std::optional<BytesView> with_length_put_right(const Walk& walk, std::size_t count, std::size_t place,
                                               bool plainly_wrong, const Judge& judge) {
    if (walk.file.size() - walk.at < walk.prefix_size) return std::nullopt;
    Bytes prefix = copy(walk.file.subspan(walk.at, walk.prefix_size));
    std::optional<BytesView> fits;
    for (auto& byte : prefix) {
        const auto written = byte;
        for (unsigned value = 0; value < 256; ++value) {
            byte = static_cast<std::uint8_t>(value);
            const auto item = byte == written ? std::nullopt : walk.item_of(read_be(prefix));
            if (!item) continue;
            auto rest = walk;
            rest.pass(*item);
            if (!rest.ends_after(count - 1)) continue;
            const auto verdict = judge(place, *item);
            if (verdict == Verdict::right) return item;
            if (plainly_wrong && !fits) fits = item;
        }
        byte = written;
    }
    return fits;
}

}  // namespace

Items items_of(BytesView file, Prefix prefix, std::size_t count, const Judge& judge) {
    Items found;
    found.items.reserve(count);
    Walk walk{file, static_cast<std::size_t>(prefix)};
    bool sound = walk.ends_after(count);
    for (std::size_t place = 0; place < count; ++place) {
        auto item = walk.item();
        const auto verdict = sound ? Verdict::right : item ? judge(place, *item) : Verdict::wrong;
        if (verdict != Verdict::right) {
            const bool wrong = verdict == Verdict::wrong;
            if (const auto put_right = with_length_put_right(walk, count - place, place, wrong, judge)) {
                item = put_right;
                found.damaged_length = place;
                sound = true;
            }
        }
        if (!item) return found;
        found.items.push_back(*item);
        walk.pass(*item);
    }
    found.runs_on = walk.at != file.size();
    return found;
}

void append_item(Bytes& out, Prefix prefix, BytesView item) {
    const auto size = static_cast<std::size_t>(prefix);
    if (item.size() >> 8 * size != 0) throw std::length_error{"an item is longer than its prefix can say"};
    append_be(out, item.size(), size);
    out.insert(out.end(), item.begin(), item.end());
}

}  // namespace flagpost::auditor
