#include "broker/register/key_index.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace flagpost::registry {
namespace {

/// The logarithm of the size of the block that holds so many rows: 1 for 2, 2 for 3 and 4, 3 for 5 to 8.
unsigned block_of(std::uint32_t count) { return static_cast<unsigned>(std::bit_width(count - 1)); }

}  // namespace

std::size_t KeyIndex::find(std::uint64_t key) const {
    std::size_t at = home(key);
    for (;;) {
        const auto there = key_of(slots_[at]);
        if (there == key || there == 0) return at;
        if (++at == slots_.size()) at = 0;
    }
}

void KeyIndex::grow() {
    // By less than twice: at a million people half of twice would lie empty.
    std::vector<Slot> old(slots_.size() + slots_.size() / 2);
    old.swap(slots_);
    used_ = 0;
    for (const auto& slot : old) {
        if (slot.count == 0) continue;
        slots_[find(key_of(slot))] = slot;
        ++used_;
    }
}

const std::uint32_t* KeyIndex::rows_of(const Slot& slot) const {
    if (slot.count == 1) return &slot.at;
    const auto size = block_of(slot.count);
    return blocks_[size].rows.data() + (std::size_t{slot.at} << size);
}

std::uint32_t* KeyIndex::rows_of(Slot& slot) {
    return const_cast<std::uint32_t*>(std::as_const(*this).rows_of(slot));
}

void KeyIndex::resize(Slot& slot, std::uint32_t count) {
    Slot moved = slot;
    moved.at = 0;
    moved.count = count;
    if (count > 1) {
        auto& blocks = blocks_[block_of(count)];
        if (blocks.free.empty()) {
            moved.at = static_cast<std::uint32_t>(blocks.rows.size() >> block_of(count));
            const auto size = blocks.rows.size() + (std::size_t{1} << block_of(count));
            if (size > blocks.rows.capacity()) blocks.rows.reserve(size + blocks.rows.size() / 4);
            blocks.rows.resize(size);
        } else {
            moved.at = blocks.free.back();
            blocks.free.pop_back();
        }
    }
    std::copy_n(rows_of(slot), std::min<std::uint32_t>(slot.count, count), rows_of(moved));
    if (slot.count > 1) blocks_[block_of(slot.count)].free.push_back(slot.at);
    slot = moved;
}

void KeyIndex::add(std::uint64_t whole_key, std::uint32_t row) {
    const auto key = short_of(whole_key);
    auto at = find(key);
    if (key_of(slots_[at]) == 0) {
        if ((used_ + 1) * 4 > slots_.size() * 3) {
            grow();
            at = find(key);
        }
        slots_[at].key = static_cast<std::uint32_t>(key);
        slots_[at].key_high = static_cast<std::uint32_t>(key >> 32) & 0x3fU;
        ++used_;
    }
    auto& slot = slots_[at];
    if (slot.count == 0 || block_of(slot.count) == block_of(slot.count + 1))
        ++slot.count;
    else
        resize(slot, slot.count + 1);
    rows_of(slot)[slot.count - 1] = row;
}

void KeyIndex::remove(std::uint64_t key, std::uint32_t row) {
    auto& slot = slots_[find(short_of(key))];
    if (slot.count == 0) return;
    auto* const rows = rows_of(slot);
    auto* const end = rows + slot.count;
    auto* const found = std::find(rows, end, row);
    if (found == end) return;
    *found = *(end - 1);
    // With its last row gone the key stays in its slot until the table grows.
    if (slot.count == 1 || block_of(slot.count) == block_of(slot.count - 1))
        --slot.count;
    else
        resize(slot, slot.count - 1);
}

void KeyIndex::collect(std::uint64_t key, std::vector<std::uint32_t>& out) const {
    const auto& slot = slots_[find(short_of(key))];
    if (slot.count != 0) out.insert(out.end(), rows_of(slot), rows_of(slot) + slot.count);
}

}  // namespace flagpost::registry
