#include "broker/log/tlog_proof.h"

#include "broker/core/limits.h"
#include "broker/log/lines.h"

namespace flagpost::log {
namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_word = "extra ";
constexpr std::string_view index_word = "index ";

}  // namespace

std::string TlogProof::format() const {
    std::string text{first_line};
    text += '\n';
    if (extra) text.append(extra_word).append(to_base64(*extra)).append("\n");
    text.append(index_word).append(std::to_string(index)).append("\n");
    for (const Digest& hash : path) text.append(to_base64(hash)).append("\n");
    return text.append("\n").append(checkpoint);
}

Result<TlogProof> TlogProof::parse(std::string_view rest) {
    if (rest.size() > limits::proof_file_size_max)
        return refuse(Reason::too_large, "proof: longer than 128 KiB");
    if (take_line(rest) != first_line) return refuse(Reason::unsupported_version, "proof: first line");
    TlogProof proof{};
    auto line = take_line(rest);
    if (line && line->starts_with(extra_word)) {
        proof.extra = from_base64(line->substr(extra_word.size()));
        if (!proof.extra) return refuse(Reason::malformed, "proof: extra");
        line = take_line(rest);
    }
    const auto index =
        line && line->starts_with(index_word) ? parse_number(line->substr(index_word.size())) : std::nullopt;
    if (!index) return refuse(Reason::malformed, "proof: index");
    proof.index = *index;
    for (line = take_line(rest); line && !line->empty(); line = take_line(rest)) {
        const auto hash = parse_hash(*line);
        if (!hash) return refuse(Reason::malformed, "proof: hash");
        if (proof.path.size() == limits::proof_hashes_max) return refuse(Reason::too_large, "proof: hashes");
        proof.path.push_back(*hash);
    }
    if (!line) return refuse(Reason::malformed, "proof: no checkpoint");
    const auto note = SignedNote::parse(rest);
    if (!note) return tl::unexpected{note.error()};
    if (const auto head = Checkpoint::parse(note->text); !head) return tl::unexpected{head.error()};
    proof.checkpoint = rest;
    return proof;
}

Result<Policy::Judged> check_proof(const TlogProof& proof, BytesView leaf, const Policy& policy) {
    auto judged = policy.judge(proof.checkpoint);
    if (!judged) return judged;
    if (!verify_inclusion(proof.index, judged->head.size, leaf_hash(leaf), proof.path, judged->head.root))
        return refuse(Reason::not_consistent, "proof: the leaf is not in the tree of this head");
    return judged;
}

}  // namespace flagpost::log
