/// Which bodies were destroyed, beside the database, so that an older copy of it put back cannot bring them back.
///
/// The log says the same (`Leaf.erased`); what it cannot do is tell a copy that was made before. The list holds no
/// data and no key: it may be kept, and copied, more freely than anything else. Lines of 40 bytes: u64be index of the
/// leaf whose body is gone, and that leaf's hash.
#pragma once

#include <filesystem>
#include <vector>

#include "broker/core/bytes.h"

namespace flagpost::store {

class ErasureList {
public:
    struct Line {
        std::uint64_t index;
        Digest leaf;
        friend bool operator==(const Line&, const Line&) = default;
    };

    /// A line cut short by a crash is not counted: whoever wrote it did not get to rely on it. Throws StorageFailure.
    explicit ErasureList(std::filesystem::path file);

    std::uint64_t size() const { return size_; }
    /// The lines from number `first`, in order. Throws StorageFailure.
    std::vector<Line> from(std::uint64_t first) const;
    /// Durable on return. Throws StorageFailure.
    void append(const std::vector<Line>& lines);
    /// Begins anew: it will be made again from the log.
    void clear();

private:
    std::filesystem::path file_;
    std::uint64_t size_ = 0;
};

}  // namespace flagpost::store
