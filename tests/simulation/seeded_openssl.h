/// OpenSSL draws the nonces of its signatures from its own generator. Here that is seeded, or no run could be repeated.
#pragma once

#include <cstdint>

namespace flagpost::simulation {

/// For the whole process, which must not do anything secret from here on.
void seed_openssl(std::uint64_t seed);

}  // namespace flagpost::simulation
