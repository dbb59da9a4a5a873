/// Proofs of single leaves for whoever is concerned, and how far the witnesses are.
#pragma once

#include "broker/router/answers.h"
#include "broker/router/heads.h"

namespace flagpost::router {

/// Two items: the `.tlog-proof` of leaf `from` (or of the one that records the asker's message `id`) under the newest
/// head that at least `level` agencies have cosigned, and that leaf. For auditors, and for whoever the leaf names as its doer or its
/// recipient; not_found alike for what does not exist, what is another's and what no such head covers yet.
Result<Page> proof_page(const Ask& ask, const AgencyId& agency, const Heads& heads, store::Reader& reader);

/// JSON: {"quorum","newest","cosigned","by","waiting_s"}: how many must cosign, the size of the newest head and of the
/// newest with a quorum, whose cosignatures that one has, and for how long a newer one has been without.
Page witnesses_page(const Heads& heads, std::size_t quorum, Instant now);

}  // namespace flagpost::router
