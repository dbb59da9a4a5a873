/// make_large_export DIR LEAVES: an export of a log of that many leaves, through the real leaves, tree and export.
/// make_large_export --sha DIR: how long the bare SHA-256 of its leaves and nodes takes, in seconds.
///
/// Every fifth leaf is an incident; a decision, a notice, its storing and its opening follow. Of every thousandth
/// incident the notice is never opened. All are made from their number alone, so nothing is kept.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>

#include "adapters/auditor/export.h"
#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/mapped_file.h"
#include "broker/crypto/digest.h"
#include "broker/log/leaf.h"

using namespace flagpost;

namespace {

constexpr std::uint64_t leaves_per_incident = 5;
constexpr std::uint64_t incidents_per_open_one = 1000;
const std::string agreement = "# the agreement\n";

Id16 id_of(std::uint64_t number, std::uint8_t mark) {
    Id16 id{mark};
    for (std::size_t i = 0; i < 8; ++i) id[15 - i] = static_cast<std::uint8_t>(number >> 8 * i);
    return id;
}

Bytes leaf_at(std::uint64_t index) {
    using log::LeafKind;
    log::Leaf leaf;
    leaf.index = index;
    leaf.time = from_us(1'772'487'612'000'000 + static_cast<std::int64_t>(index) * 1000);
    leaf.actor = "spiffe://notts.example/broker/main";
    leaf.agreement = crypto::sha256(view(agreement));
    const auto incident = index / leaves_per_incident;
    const auto recipient = "school/" + std::to_string(100000 + incident % 400);
    const auto topic = "notices/" + recipient;
    const auto number = incident / 400 + 1;
    if (index == 0) {
        leaf.kind = LeafKind::agreement_set;
        return log::encode(leaf);
    }
    switch (index % leaves_per_incident) {
        case 0:
            leaf.kind = LeafKind::published;
            leaf.operation = log::Operation::collection;
            leaf.actor = "spiffe://notts.example/police/31";
            leaf.topic = "incidents/31";
            leaf.message = id_of(incident, 1);
            leaf.subjects = {id_of(incident, 3)};
            break;
        case 1:
            leaf.kind = LeafKind::decided;
            leaf.operation = log::Operation::combination;
            leaf.outcome = "1 match";
            leaf.candidates = 3;
            leaf.related = index - 1;
            leaf.subjects = {id_of(incident % 5000, 4)};
            break;
        case 2:
            leaf.kind = LeafKind::notice_issued;
            leaf.operation = log::Operation::disclosure;
            leaf.recipient = recipient;
            leaf.topic = topic;
            leaf.message = id_of(incident, 2);
            leaf.number = number;
            leaf.rule = "SCH-1";
            leaf.purpose = "safeguarding";
            leaf.legal_basis = {"CA2004-s10", "DAA2021-s49A"};
            leaf.outcome = "first";
            leaf.related = index - 1;
            leaf.subjects = {id_of(incident % 5000, 4)};
            break;
        case 3:
            leaf.kind = LeafKind::stored;
            leaf.actor = "spiffe://notts.example/" + recipient;
            leaf.topic = topic;
            leaf.number = number;
            leaf.outcome = "stored";
            break;
        default:
            leaf.kind = incident % incidents_per_open_one == 0 ? LeafKind::consulted : LeafKind::opened;
            leaf.actor = "spiffe://notts.example/" + recipient;
            leaf.user = id_of(incident % 400, 5);
            leaf.message = id_of(incident, 2);
            leaf.number = leaf.kind == LeafKind::opened ? number : 0;
            break;
    }
    return log::encode(leaf);
}

const crypto::NoteKey log_key = crypto::NoteKey::from_seed({7});
const std::string log_name = "log.example/audit";
const log::VerifierKey vkey{log_name, log::VerifierKey::Type::note, log_key.public_key()};

class LargeLog final : public auditor::Source {
public:
    explicit LargeLog(std::uint64_t size) {
        for (std::uint64_t index = 0; index < size; ++index)
            tree_.append(log::leaf_hash(leaf_at(index)), [&](log::TileId id, const log::TileHashes& hashes) {
                if (id.level > 0) tiles_[id] = hashes;
            });
    }
    std::string checkpoint() override {
        const auto text = log::Checkpoint{log_name, tree_.size(), tree_.root()}.format();
        return log::SignedNote{text, {log::sign_note(text, log_name, log_key)}}.format();
    }
    log::TileHashes tile(log::TileId id, std::size_t width) override {
        if (id.level > 0) return tiles_.at(id);
        log::TileHashes hashes;
        for (const auto& leaf : entries(id.number * log::tile_width, width))
            hashes.push_back(log::leaf_hash(leaf));
        return hashes;
    }
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
        std::vector<Bytes> leaves;
        for (std::size_t i = 0; i < count; ++i) leaves.push_back(leaf_at(from + i));
        return leaves;
    }
    std::vector<Bytes> bodies(std::uint64_t, std::size_t) override {
        throw std::logic_error{"no bodies here"};
    }
    Bytes keys(std::uint64_t, std::size_t, const auditor::SealedTerms&) override {
        throw std::logic_error{"no bodies here"};
    }
    std::optional<std::string> setting(std::uint64_t) override { return agreement; }

private:
    log::Frontier tree_;
    std::map<log::TileId, log::TileHashes> tiles_;
};

/// The hashes of the leaves and of the nodes over them, read as fast as they can be and compared with nothing.
double bare_sha256(const std::filesystem::path& directory) {
    const auto size = auditor::size_by_files(directory);
    const std::uint8_t zero = 0;
    std::array<std::uint8_t, 65> node{1};
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t number = 0; number < auditor::tiles_at(0, size); ++number) {
        const auto width = auditor::width_of(0, number, size);
        const auto file = auditor::MappedFile::open(
            directory / auditor::path_of({auditor::Piece::Of::entries, 0, number, width}));
        auto rest = file.value().bytes();
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t length = rest[0] << 8 | rest[1];
            const auto hash = crypto::sha256({
                BytesView{&zero, 1},
                rest.subspan(2, length)
            });
            std::memcpy(node.data() + 1, hash.data(), hash.size());
            const auto parent = crypto::sha256(node);
            std::memcpy(node.data() + 33, parent.data(), parent.size());
            rest = rest.subspan(2 + length);
        }
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "make_large_export DIR LEAVES, or --sha DIR\n";
        return 2;
    }
    if (std::string_view{argv[1]} == "--sha") {
        std::cout << bare_sha256(argv[2]) << "\n";
        return 0;
    }
    const auto size = std::strtoull(argv[2], nullptr, 10);
    LargeLog log{size};
    auditor::write_export(log, vkey, argv[1]);
    // Incidents whose notice is there: those beyond the last whole one may lack it.
    const auto incidents = (size + leaves_per_incident - 3) / leaves_per_incident;
    const auto answered_not_yet = size % leaves_per_incident >= 3 ? 1 : 0;
    std::cout << "open "
              << (incidents + incidents_per_open_one - 1) / incidents_per_open_one + answered_not_yet << "\n";
    return 0;
}
