/// Random bytes drawn from another source in larger pieces.
#pragma once

#include <openssl/crypto.h>

#include <algorithm>

#include "broker/core/clock.h"

namespace flagpost::store::sqlite {

/// OpenSSL's generator takes about as long for 72 bytes as for a thousand, and sealing a body needs 72:
/// drawing them one by one was an eighth of a commit. Bytes are wiped here as they are handed out. Belongs to
/// one thread.
class PooledRandom final : public Random {
public:
    explicit PooledRandom(Random& source) : source_{source} {}
    PooledRandom(const PooledRandom&) = delete;
    PooledRandom& operator=(const PooledRandom&) = delete;
    ~PooledRandom() { OPENSSL_cleanse(pool_.data(), pool_.size()); }

    void fill(std::span<std::uint8_t> out) override {
        while (!out.empty()) {
            if (next_ == pool_.size()) {
                source_.fill(pool_);
                next_ = 0;
            }
            const auto size = std::min(out.size(), pool_.size() - next_);
            std::copy_n(pool_.begin() + static_cast<std::ptrdiff_t>(next_), size, out.begin());
            OPENSSL_cleanse(pool_.data() + next_, size);
            next_ += size;
            out = out.subspan(size);
        }
    }

private:
    Random& source_;
    std::array<std::uint8_t, 4096> pool_{};
    std::size_t next_ = 4096;
};

}  // namespace flagpost::store::sqlite
