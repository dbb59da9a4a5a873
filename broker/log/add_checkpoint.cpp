#include "broker/log/add_checkpoint.h"

#include <algorithm>

#include "broker/core/limits.h"
#include "broker/log/lines.h"

namespace flagpost::log {
namespace {

/// The log's lines of `head` and the witness's own of `lines`. Whatever else the witness sent is left out.
Result<std::string> cosigned_head(std::string_view head, std::string_view lines, const VerifierKey& witness) {
    auto note = SignedNote::parse(head);
    if (!note) return tl::unexpected{note.error()};
    const auto answer = SignedNote::parse(note->text + "\n" + std::string{lines});
    if (!answer) return refuse(Reason::malformed, "witness: no signature lines");
    if (!cosigned_at(*answer, witness))
        return refuse(Reason::bad_signature, "witness: its own cosignature is missing or does not hold");
    std::erase_if(note->signatures, [&](const NoteSignature& line) {
        return line.name != note->text.substr(0, note->text.find('\n'));
    });
    note->signatures.push_back(*std::ranges::find_if(answer->signatures, [&](const NoteSignature& line) {
        return line.name == witness.name() && line.key_id == witness.id();
    }));
    return note->format();
}

Refusal refusal_of(int status) {
    switch (status) {
        case 403:
            return {Reason::bad_signature, "witness: does not know the key that signed this head"};
        case 404:
            return {Reason::not_found, "witness: does not know this log"};
        case 422:
            return {Reason::not_consistent, "witness: this head is no continuation of the one it saw last"};
        case 429:
            return {Reason::busy, "witness: too many questions"};
        default:
            if (status >= 500) return {Reason::busy, "witness: status " + std::to_string(status)};
            return {Reason::malformed, "witness: status " + std::to_string(status)};
    }
}

}  // namespace

std::string add_checkpoint_body(std::uint64_t old_size, const std::vector<Digest>& proof,
                                std::string_view head) {
    std::string body = "old " + std::to_string(old_size) + "\n";
    for (const auto& hash : proof) body.append(to_base64(hash)).append("\n");
    return body.append("\n").append(head);
}

Result<std::variant<Cosigned, SawLast>> read_add_checkpoint(int status, std::string_view body,
                                                            std::string_view head,
                                                            const VerifierKey& witness) {
    if (body.size() > limits::note_size_max) return refuse(Reason::too_large, "witness: answer");
    if (status == 200) {
        auto note = cosigned_head(head, body, witness);
        if (!note) return tl::unexpected{note.error()};
        return Cosigned{*std::move(note)};
    }
    if (status == 409) {
        const auto line = take_line(body);
        const auto size = line && body.empty() ? parse_number(*line) : std::nullopt;
        if (!size) return refuse(Reason::malformed, "witness: the size it saw last");
        return SawLast{*size};
    }
    return tl::unexpected{refusal_of(status)};
}

}  // namespace flagpost::log
