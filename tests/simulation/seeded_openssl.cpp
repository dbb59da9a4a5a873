#define OPENSSL_SUPPRESS_DEPRECATED  // replacing the generator whole is deprecated, and just what is wanted
#include "tests/simulation/seeded_openssl.h"

#include <openssl/rand.h>

#include "tests/simulation/dice.h"

namespace flagpost::simulation {
namespace {

Dice& generator() {
    static Dice dice{0};
    return dice;
}

int fill(unsigned char* out, int size) {
    generator().fill({out, static_cast<std::size_t>(size)});
    return 1;
}

int always_ready() { return 1; }

}  // namespace

void seed_openssl(std::uint64_t seed) {
    static const RAND_METHOD method{nullptr, fill, nullptr, nullptr, fill, always_ready};
    RAND_set_rand_method(&method);
    generator() = Dice{seed};
}

}  // namespace flagpost::simulation
