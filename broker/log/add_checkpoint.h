/// A head taken to a witness outside the partnership, and its answer: C2SP tlog-witness, without the HTTP around it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "broker/log/note.h"

namespace flagpost::log {

/// The body of `POST <prefix>/add-checkpoint`.
///
/// old_size   of the head the witness saw last, as far as we know; 0 for none
/// proof      consistency_proof(old_size, size of the head)
/// head       signed note
std::string add_checkpoint_body(std::uint64_t old_size, const std::vector<Digest>& proof,
                                std::string_view head);

/// The witness has cosigned: the head with its one line beside the log's own.
struct Cosigned {
    std::string note;
};
/// It did not, as the head it saw last is one of this size: prove the new one from there.
struct SawLast {
    std::uint64_t size;
};

/// What a witness's answer says of `head`. Refused: not_consistent if to the witness this is another history; not_found
/// or bad_signature if it does not know this log or its key; bad_signature too if its own line is missing or does not
/// hold; busy if it may be asked again later; malformed for anything else.
///
/// status   of HTTP
/// body     foreign bytes, at most limits::note_size_max of them
Result<std::variant<Cosigned, SawLast>> read_add_checkpoint(int status, std::string_view body,
                                                            std::string_view head,
                                                            const VerifierKey& witness);

}  // namespace flagpost::log
