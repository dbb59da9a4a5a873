/// A value that no stream, log call or comparison can leak by accident.
#pragma once

#include <utility>

namespace flagpost {

template <class T> class Secret {
public:
    explicit Secret(T value) : value_{std::move(value)} {}
    const T& reveal() const noexcept { return value_; }  // the call sites are few, and worth a look in review

private:
    T value_;
};

template <class Stream, class T> Stream& operator<<(Stream&, const Secret<T>&) = delete;

}  // namespace flagpost
