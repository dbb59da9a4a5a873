/// Equal values kept once: a million people have far fewer names, and share their addresses.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace flagpost::registry {

/// `hash_of(value)` and == say which values are one.
template <class Value> class Shared {
public:
    using Pointer = std::shared_ptr<const Value>;

    /// The one that is kept of all that equal this.
    Pointer keep(Pointer value) { return values_.try_emplace(value.get(), value).first->second; }

    /// Forgets the value if the caller is the last to hold it.
    void release(Pointer value) {
        constexpr long here_and_ours = 2;
        if (value.use_count() == here_and_ours) values_.erase(value.get());
    }
    std::size_t size() const { return values_.size(); }

private:
    struct Hash {
        std::size_t operator()(const Value* value) const { return hash_of(*value); }
    };
    struct Same {
        bool operator()(const Value* a, const Value* b) const { return *a == *b; }
    };
    std::unordered_map<const Value*, Pointer, Hash, Same> values_;
};

}  // namespace flagpost::registry
