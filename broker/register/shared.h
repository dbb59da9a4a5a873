/// Equal values kept once: a million people have far fewer names, and share their addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace flagpost::registry {

/// `hash_of(value)` and == say which values are one.
template <class Value> class Shared {
public:
    using Pointer = std::shared_ptr<const Value>;

    /// One that is kept, and its number: small, and given out again when the value is forgotten.
    struct Kept {
        Pointer value;
        std::uint32_t number;
    };

    /// The one that is kept of all that equal this.
    Kept keep(Pointer value) {
        const auto* const key = value.get();
        const auto [at, added] = values_.try_emplace(key, Kept{std::move(value), 0});
        if (added) at->second.number = next_number();
        return at->second;
    }

    /// Nothing if no equal value is kept.
    const Kept* find(const Value& value) const {
        const auto found = values_.find(&value);
        return found == values_.end() ? nullptr : &found->second;
    }

    /// Forgets the value if the caller is the last to hold it.
    void release(Pointer value) {
        constexpr long here_and_ours = 2;
        if (value.use_count() != here_and_ours) return;
        const auto found = values_.find(value.get());
        free_.push_back(found->second.number);
        values_.erase(found);
    }
    std::size_t size() const { return values_.size(); }

private:
    struct Hash {
        std::size_t operator()(const Value* value) const { return hash_of(*value); }
    };
    struct Same {
        bool operator()(const Value* a, const Value* b) const { return *a == *b; }
    };
    std::uint32_t next_number() {
        if (free_.empty()) return static_cast<std::uint32_t>(values_.size() - 1);
        const auto number = free_.back();
        free_.pop_back();
        return number;
    }
    std::unordered_map<const Value*, Kept, Hash, Same> values_;
    std::vector<std::uint32_t> free_;
};

}  // namespace flagpost::registry
