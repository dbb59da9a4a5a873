/// What a fuzz target promises beyond not crashing.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace flagpost::fuzz {

/// Ends the run, keeping the input, when a promise is broken.
inline void hold(bool promise, const char* what) {
    if (promise) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

}  // namespace flagpost::fuzz
