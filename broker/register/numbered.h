/// Values by number; the numbers of removed ones are given out again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace flagpost::registry {

/// Values stay where they are, in chunks large enough that finding one is finding its chunk in a short list.
template <class Value> class Numbered {
public:
    std::uint32_t add(Value value) {
        const auto number = free_.empty() ? used_++ : free_.back();
        if (!free_.empty())
            free_.pop_back();
        else if (number % chunk_size == 0)
            chunks_.push_back(std::make_unique<Chunk>());
        at(number) = std::move(value);
        return number;
    }
    void remove(std::uint32_t number) {
        at(number) = Value{};
        free_.push_back(number);
    }
    const Value& operator[](std::uint32_t number) const {
        return (*chunks_[number / chunk_size])[number % chunk_size];
    }
    std::size_t size() const { return used_ - free_.size(); }

private:
    static constexpr std::uint32_t chunk_size = 1024;
    using Chunk = std::array<Value, chunk_size>;
    Value& at(std::uint32_t number) { return (*chunks_[number / chunk_size])[number % chunk_size]; }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t used_ = 0;
};

}  // namespace flagpost::registry
