/// A hash index from 64-bit keys to lists of row numbers, compact enough for a million people.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace flagpost::registry {

/// Lists come back in no particular order: sort what was collected before using it.
class KeyIndex {
public:
    KeyIndex() : slots_(16) {}

    void add(std::uint64_t key, std::uint32_t row);
    void remove(std::uint64_t key, std::uint32_t row);
    /// Fetches what the other calls will look at first: many keys asked for at once come sooner than one by one.
    void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[home(short_of(key))]); }
    /// How many rows `key` has.
    std::uint32_t count(std::uint64_t key) const { return slots_[find(short_of(key))].count; }
    /// Appends the rows of `key`.
    void collect(std::uint64_t key, std::vector<std::uint32_t>& out) const;

private:
    /// Most keys have one row, which stands in the slot itself. More stand together in a block of the next power of
    /// two, so that reading a list is reading one piece of memory.
    struct Slot {
        std::uint32_t key = 0;           // with `key_high` 0: never used
        std::uint32_t key_high : 6 = 0;  // of a key its lower 38 bits
        std::uint32_t count : 26 = 0;
        std::uint32_t at = 0;  // the row, or the number of the block
    };
    static_assert(sizeof(Slot) == 12);
    static constexpr std::uint64_t key_bits = 0x3f'ffff'ffff;
    struct Blocks {
        std::vector<std::uint32_t> rows;
        std::vector<std::uint32_t> free;  // numbers of blocks
    };

    /// As much of a key as is kept: of ten million keys a few hundred share their list with another one, and whoever
    /// reads it compares some rows more.
    static std::uint64_t short_of(std::uint64_t key) {
        const auto kept = key & key_bits;
        return kept == 0 ? 1 : kept;
    }
    static std::uint64_t key_of(const Slot& slot) { return std::uint64_t{slot.key_high} << 32 | slot.key; }
    /// Where a key would stand if nobody else did.
    std::size_t home(std::uint64_t key) const { return ((key & 0xffff'ffff) * slots_.size()) >> 32; }
    std::size_t find(std::uint64_t key) const;
    void grow();
    const std::uint32_t* rows_of(const Slot& slot) const;
    std::uint32_t* rows_of(Slot& slot);
    /// Moves a list to where `count` rows have their place; those that there are come along.
    void resize(Slot& slot, std::uint32_t count);

    std::vector<Slot> slots_;  // at most 3/4 used
    std::size_t used_ = 0;
    std::array<Blocks, 33> blocks_;  // by the logarithm of their size
};

/// A key of its parts; the same on every machine. Never 0.
class KeyHash {
public:
    explicit KeyHash(std::uint64_t kind) { number(kind); }
    KeyHash& number(std::uint64_t value) {
        state_ ^= value + 0x9e3779b97f4a7c15;
        state_ *= 0xbf58476d1ce4e5b9;
        state_ ^= state_ >> 29;
        return *this;
    }
    template <class Text> KeyHash& text(const Text& text) {
        std::uint64_t word = 0;
        int filled = 0;
        for (const char c : text) {
            word = (word << 8) | static_cast<unsigned char>(c);
            if (++filled == 8) {
                number(word);
                word = 0;
                filled = 0;
            }
        }
        return number((word << 8) | static_cast<std::uint64_t>(filled));
    }
    std::uint64_t value() const {
        std::uint64_t mixed = state_;
        mixed ^= mixed >> 32;
        mixed *= 0x94d049bb133111eb;
        mixed ^= mixed >> 31;
        return mixed == 0 ? 1 : mixed;
    }

private:
    std::uint64_t state_ = 0x243f6a8885a308d3;
};

}  // namespace flagpost::registry
