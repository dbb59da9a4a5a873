/// A file's bytes without a copy of them, so that a large export takes little memory.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/core/bytes.h"

namespace flagpost::auditor {

/// Read-only. The file must not shrink while it is open: an export is finished when it gets its name.
class MappedFile {
public:
    /// Nothing if there is no such regular file (a symbolic link is none). Throws std::system_error if there is and it
    /// cannot be read.
    static std::optional<MappedFile> open(const std::filesystem::path& path);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();
    BytesView bytes() const { return bytes_; }

private:
    explicit MappedFile(BytesView bytes) : bytes_{bytes} {}
    BytesView bytes_;
};

}  // namespace flagpost::auditor
