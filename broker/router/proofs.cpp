#include "broker/router/proofs.h"

#include <nlohmann/json.hpp>

#include "broker/log/tlog_proof.h"

namespace flagpost::router {
namespace {

/// Who did what it records, or was told by it.
bool concerns(const log::Leaf& leaf, const AgencyId& agency) {
    const auto actor = SpiffeId::parse(leaf.actor);
    return agency.kind() == "auditor" || leaf.recipient == agency.text() ||
           (actor && actor->agency() == agency);
}

void append_item(Bytes& out, BytesView item) {
    append_be(out, item.size(), 4);
    out.insert(out.end(), item.begin(), item.end());
}

}  // namespace

Result<Page> proof_page(const Ask& ask, const AgencyId& agency, const Heads& heads, store::Reader& reader) {
    std::uint64_t index = ask.from;
    if (ask.id) {
        const auto receipt = reader.receipt(agency, *ask.id);
        if (!receipt) return refuse(Reason::not_found, "query.id");
        index = receipt->index;
    }
    const auto bytes = reader.leaf(index);
    const auto leaf = bytes ? log::decode_leaf(*bytes) : refuse(Reason::not_found, "query.from");
    if (!leaf || !concerns(*leaf, agency)) return refuse(Reason::not_found, "query.from");
    const auto note = heads.cosigned_by(ask.level);
    const auto head = note ? heads.open(*note) : refuse(Reason::not_found, "head");
    if (!head || head->size <= index)
        return refuse(Reason::not_found, "query: no head that so many have cosigned covers it yet");
    const log::TlogProof proof{
        std::nullopt, index,
        log::inclusion_proof(index, head->size, [&](log::TileId tile) { return reader.tile(tile); }), *note};
    Page page;
    append_item(page.content, view(proof.format()));
    append_item(page.content, *bytes);
    return page;
}

Page witnesses_page(const Heads& heads, std::size_t quorum, Instant now) {
    const auto since = heads.waiting_since();
    const nlohmann::ordered_json status{
        {"quorum",    quorum                                                                            },
        {"newest",    heads.empty() ? 0 : heads.newest_size()                                           },
        {"cosigned",  heads.cosigned_size()                                                             },
        {"by",        heads.cosigners()                                                                 },
        {"waiting_s", since ? std::chrono::duration_cast<std::chrono::seconds>(now - *since).count() : 0}
    };
    return Page{copy(view(status.dump())), false};
}

}  // namespace flagpost::router
