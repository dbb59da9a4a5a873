/// The offline proof file `.tlog-proof` (C2SP tlog-proof): that a leaf is in a log whose head witnesses have seen.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/log/merkle.h"
#include "broker/log/policy.h"

namespace flagpost::log {

struct TlogProof {
    std::optional<Bytes> extra;  // for whoever made the proof; says nothing about the leaf
    std::uint64_t index;
    std::vector<Digest> path;  // RFC 6962 inclusion proof, sibling first
    std::string checkpoint;    // a signed note, with its cosignatures

    std::string format() const;
    /// Bounded and of one spelling; whether anything in it is true is for check_proof to say.
    static Result<TlogProof> parse(std::string_view text);
    friend bool operator==(const TlogProof&, const TlogProof&) = default;
};

/// The head, and who witnessed it, if exactly these bytes are leaf `index` of a log this policy believes. Refused as
/// bad_signature where the head does not satisfy the policy, as not_consistent where the leaf is not in it.
Result<Policy::Judged> check_proof(const TlogProof& proof, BytesView leaf, const Policy& policy);

}  // namespace flagpost::log
