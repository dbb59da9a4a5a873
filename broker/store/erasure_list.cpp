#include "broker/store/erasure_list.h"

#include <algorithm>

#include "broker/store/durable_file.h"

namespace flagpost::store {
namespace {

constexpr std::size_t index_size = 8;
constexpr std::size_t line_size = index_size + std::tuple_size_v<Digest>;

void put(Bytes& bytes, const ErasureList::Line& line) {
    append_be(bytes, line.index, index_size);
    bytes.insert(bytes.end(), line.leaf.begin(), line.leaf.end());
}

ErasureList::Line line_of(BytesView bytes) {
    ErasureList::Line line{};
    line.index = read_be(bytes.first(index_size));
    std::ranges::copy(bytes.subspan(index_size, line.leaf.size()), line.leaf.begin());
    return line;
}

}  // namespace

ErasureList::ErasureList(std::filesystem::path file) : file_{std::move(file)} {
    std::error_code absent;
    const auto bytes = std::filesystem::file_size(file_, absent);
    if (!absent) size_ = bytes / line_size;
}

std::vector<ErasureList::Line> ErasureList::from(std::uint64_t first) const {
    if (first >= size_) return {};
    const auto bytes = read_whole(file_).value_or(Bytes{});
    std::vector<Line> lines;
    for (auto place = first * line_size; place + line_size <= bytes.size(); place += line_size)
        lines.push_back(line_of(BytesView{bytes}.subspan(place, line_size)));
    return lines;
}

void ErasureList::append(const std::vector<Line>& lines) {
    if (lines.empty()) return;
    Bytes bytes;
    bytes.reserve(lines.size() * line_size);
    for (const auto& line : lines) put(bytes, line);
    append_durably(file_, size_ * line_size, bytes);
    size_ += lines.size();
}

void ErasureList::clear() {
    write_durably(file_, {});
    size_ = 0;
}

}  // namespace flagpost::store
