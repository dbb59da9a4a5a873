/// The records of an export one after another, bodies opened as far as the reader's key and the terms allow.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "adapters/auditor/mapped_file.h"
#include "broker/crypto/sealed_box.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {

enum class BodyState {
    none,       // the entry has no body
    open,       // here, the one the entry names, and opened
    not_given,  // here or not, but what opens it is not: out of scope, or a public export
    absent      // the entry names one, and it is not here: erased
};

struct Record {
    std::uint64_t index = 0;
    log::Leaf leaf;
    BodyState state = BodyState::none;
    Bytes body;  // plaintext, where open
};

/// Reads an export in order, a tile of 256 at a time. Leaves are not held against the tree: verify first. A body that
/// opens is the one its leaf names.
class Records {
public:
    /// Throws std::runtime_error if there is no export, or it was sealed to another key.
    Records(std::filesystem::path directory, const crypto::BoxKey* key);
    /// Nothing behind the last. Throws std::runtime_error naming the file or entry that cannot be read.
    std::optional<Record> next();
    std::uint64_t size() const { return size_; }

private:
    void read_tile(std::uint64_t number);

    std::filesystem::path directory_;
    const crypto::BoxKey* key_;
    std::uint64_t size_ = 0;
    std::uint64_t next_ = 0;
    std::vector<Record> tile_;
};

}  // namespace flagpost::auditor
