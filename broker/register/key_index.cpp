#include "broker/register/key_index.h"

#include <utility>

namespace flagpost::registry {

std::size_t KeyIndex::find(std::uint64_t key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = key & mask;
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & mask;
    return at;
}

void KeyIndex::grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    used_ = 0;
    for (const auto& slot : old) {
        if (slot.count == 0) continue;
        slots_[find(slot.key)] = slot;
        ++used_;
    }
}

void KeyIndex::add(std::uint64_t key, std::uint32_t row) {
    auto at = find(key);
    if (slots_[at].key == 0) {
        if ((used_ + 1) * 10 > slots_.size() * 7) {
            grow();
            at = find(key);
        }
        slots_[at].key = key;
        ++used_;
    }
    std::uint32_t node = free_;
    if (node == none) {
        node = static_cast<std::uint32_t>(nodes_.size());
        nodes_.push_back({});
    } else {
        free_ = nodes_[node].next;
    }
    nodes_[node] = {row, slots_[at].head};
    slots_[at].head = node;
    ++slots_[at].count;
}

void KeyIndex::remove(std::uint64_t key, std::uint32_t row) {
    auto& slot = slots_[find(key)];
    std::uint32_t* link = &slot.head;
    while (*link != none && nodes_[*link].row != row) link = &nodes_[*link].next;
    if (*link == none) return;
    const std::uint32_t node = *link;
    *link = nodes_[node].next;
    nodes_[node].next = free_;
    free_ = node;
    --slot.count;  // the key stays in its slot, empty, until the table grows
}

void KeyIndex::collect(std::uint64_t key, std::vector<std::uint32_t>& out) const {
    for (auto node = slots_[find(key)].head; node != none; node = nodes_[node].next) {
        out.push_back(nodes_[node].row);
    }
}

}  // namespace flagpost::registry
