/// How many handshakes may be under way at once, in all and from one source.
#pragma once

#include <map>

#include "broker/core/limits.h"
#include "broker/gate/sockets.h"

namespace flagpost::gate {

/// A strange peer costs most before it is known. These counts keep one source from taking every place.
class Admission {
public:
    /// Takes a place for a handshake from this source, if there is one.
    bool begin(const Source& source) {
        if (full()) return false;
        std::size_t& of_source = by_source_[source];
        if (of_source >= limits::handshakes_per_source_max) return false;
        ++of_source;
        ++total_;
        return true;
    }
    /// Gives the place back.
    void end(const Source& source) {
        const auto found = by_source_.find(source);
        if (--found->second == 0) by_source_.erase(found);
        --total_;
    }
    bool full() const { return total_ >= limits::handshakes_at_once_max; }
    std::size_t total() const { return total_; }

private:
    std::map<Source, std::size_t> by_source_;
    std::size_t total_ = 0;
};

}  // namespace flagpost::gate
