#include "adapters/client/promise.h"

#include <vector>

#include "broker/core/limits.h"
#include "broker/log/lines.h"
#include "broker/log/tlog_proof.h"

namespace flagpost::client {
namespace {

constexpr std::size_t item_header = 4;

}  // namespace

std::string Promise::text() const {
    return std::to_string(index) + " " + to_base64(leaf) + " " + std::to_string(size) + " " + to_base64(root);
}

std::optional<Promise> Promise::parse(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at <= text.size() && words.size() < 5;) {
        const auto end = std::min(text.find(' ', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    if (words.size() != 4) return std::nullopt;
    const auto index = log::parse_number(words[0]), size = log::parse_number(words[2]);
    const auto leaf = log::parse_hash(words[1]), root = log::parse_hash(words[3]);
    if (!index || !leaf || !size || !root) return std::nullopt;
    return Promise{*index, *leaf, *size, *root};
}

const char* contradiction(const Promise& promise, const Tree& earlier) {
    if (promise.index >= promise.size) return "the broker confirmed an entry beyond the end of its log";
    if (promise.size < earlier.size) return "the broker confirmed out of a log shorter than it showed before";
    return contradiction(earlier, promise);
}

const char* contradiction(const Tree& later, const Promise& promise) {
    if (promise.size == later.size && promise.root != later.root)
        return "the broker confirmed out of another log than it shows";
    return nullptr;
}

Result<std::pair<std::string, Bytes>> read_proof_answer(BytesView content) {
    std::vector<BytesView> items;
    while (content.size() >= item_header && items.size() < 2) {
        const auto size = read_be(content.first(item_header));
        if (size > content.size() - item_header) break;
        items.push_back(content.subspan(item_header, size));
        content = content.subspan(item_header + size);
    }
    if (items.size() != 2 || !content.empty())
        return refuse(Reason::malformed, "answer: not a leaf and its proof");
    return std::pair{std::string{text(items[0])}, copy(items[1])};
}

Kept judge(const Promise& promise, BytesView answer, const log::Checkpoint& head,
           const log::VerifierKey& log) {
    const auto items = read_proof_answer(answer);
    const auto proof = items ? log::TlogProof::parse(items->first) : tl::unexpected<Refusal>{items.error()};
    if (!proof || proof->index != promise.index || log::leaf_hash(items->second) != promise.leaf)
        return Kept::no;
    const auto shown = log::open_checkpoint(proof->checkpoint, log);
    if (!shown) return Kept::no;
    const bool included =
        log::verify_inclusion(proof->index, shown->size, promise.leaf, proof->path, shown->root);
    if (!included) return Kept::no;
    if (shown->size != head.size) return Kept::other_head;
    return shown->root == head.root ? Kept::yes : Kept::no;
}

}  // namespace flagpost::client
