#include "broker/gate/connection.h"

#include <algorithm>

namespace flagpost::gate {

void InFlight::add(std::size_t size) {
    sizes_.push_back(static_cast<std::uint32_t>(size));
    bytes_ += size;
}

std::size_t InFlight::take(std::uint32_t frames) {
    const std::size_t last = first_ + std::min<std::size_t>(frames, sizes_.size() - first_);
    std::size_t taken = 0;
    for (; first_ < last; ++first_) taken += sizes_[first_];
    bytes_ -= taken;
    if (first_ == sizes_.size()) {
        sizes_.clear();
        first_ = 0;
    } else if (first_ > 256 && first_ > sizes_.size() / 2) {
        sizes_.erase(sizes_.begin(), sizes_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    return taken;
}

}  // namespace flagpost::gate
