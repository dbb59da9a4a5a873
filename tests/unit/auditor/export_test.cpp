#include "adapters/auditor/export.h"

#include "adapters/auditor/verify.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sample_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
namespace fs = std::filesystem;
using test::SampleLog;

namespace {

bool verifies(const fs::path& directory) {
    return verify(directory, log::Policy::of_log(test::log_vkey())).verified();
}

/// A log that goes on while it is exported: another entry with every question.
class GrowingLog final : public Source {
public:
    explicit GrowingLog(std::uint64_t size) : log_{size} {}
    std::string checkpoint() override { return log_.checkpoint(); }
    log::TileHashes tile(log::TileId id, std::size_t width) override {
        grow();
        return log_.tile(id, width);
    }
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
        grow();
        return log_.entries(from, count);
    }
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
        grow();
        return log_.bodies(from, count);
    }
    Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) override {
        return log_.keys(from, count, terms);
    }
    std::optional<std::string> setting(std::uint64_t index) override { return log_.setting(index); }

private:
    void grow() {
        log::Leaf leaf;
        leaf.kind = log::LeafKind::consulted;
        for (int i = 0; i < 100; ++i) log_.append(leaf, {});
    }
    SampleLog log_;
};

/// A log of 600 whose answers can be spoilt.
class OddLog final : public Source {
public:
    std::string checkpoint() override { return note.empty() ? log_.checkpoint() : note; }
    log::TileHashes tile(log::TileId id, std::size_t width) override {
        return log_.tile(id, width - narrower);
    }
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
        auto items = log_.entries(from, count);
        if (empty_at && from >= *empty_at) items.clear();
        if (too_many) items.resize(count + 1);
        return items;
    }
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
        if (broken) throw std::runtime_error{"the connection ended"};
        return log_.bodies(from, count);
    }
    Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) override {
        return log_.keys(of_others ? from + 1 : from, count, terms);
    }
    std::optional<std::string> setting(std::uint64_t index) override { return log_.setting(index); }

    std::string note;
    std::size_t narrower = 0;
    std::optional<std::uint64_t> empty_at;
    bool too_many = false, broken = false, of_others = false;

private:
    SampleLog log_{600};
};

}  // namespace

TEST_CASE("an export is exactly the log at the head fetched first, however it grows meanwhile", "[auditor]") {
    for (const std::uint64_t size : {1, 200, 256, 300}) {
        CAPTURE(size);
        const test::TemporaryDirectory temporary;
        GrowingLog log{size};
        CHECK(write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms()).size ==
              size);
        CHECK(verifies(temporary.path() / "export"));
    }
}

TEST_CASE("what is erased while an export is taken comes with the entry that says so", "[auditor]") {
    // The broker erases a body once the export has its head, and logs it; the next head covers that.
    class ErasingLog final : public Source {
    public:
        std::string checkpoint() override { return log_.checkpoint(); }
        log::TileHashes tile(log::TileId id, std::size_t width) override { return log_.tile(id, width); }
        std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
            auto items = log_.entries(from, count);
            if (from == 0 && !std::exchange(erased_, true)) {
                log_.erase(300);
                log::Leaf leaf;
                leaf.kind = log::LeafKind::erased;
                leaf.erased = {
                    {300, 300}
                };
                log_.append(leaf, {});
            }
            return items;
        }
        std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
            return log_.bodies(from, count);
        }
        Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) override {
            return log_.keys(from, count, terms);
        }
        std::optional<std::string> setting(std::uint64_t index) override { return log_.setting(index); }

    private:
        SampleLog log_{400};
        bool erased_ = false;
    };
    const test::TemporaryDirectory temporary;
    ErasingLog log;
    CHECK(write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms()).size == 401);
    const auto verified = verify(temporary.path() / "export", log::Policy::of_log(test::log_vkey()));
    CHECK(verified.verified());
    CHECK(verified.bodies_erased == 1);
}

TEST_CASE("a body gone without an entry is exported as it is, for verify to name", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{20};
    log.erase(6);
    write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms());
    CHECK_FALSE(verifies(temporary.path() / "export"));
}

TEST_CASE("an answer may hold fewer items than asked for", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{300};
    for (const std::size_t page : {1, 7, 256}) {
        log.page_max = page;
        const auto directory = temporary.path() / std::to_string(page);
        CHECK(write_export(log, test::log_vkey(), directory, test::sample_terms()).new_entries == 300);
        CHECK(verifies(directory));
        CHECK(verify(directory, log::Policy::of_log(test::log_vkey())).bodies == 99);
    }
}

TEST_CASE("an export that fails leaves nothing that could be taken for one", "[auditor]") {
    struct Row {
        const char* why;
        std::function<void(OddLog&)> spoil;
    };
    SampleLog longer{700};
    const auto other_key = [](OddLog& log) {
        const auto text = log::Checkpoint{test::log_name, 600, Digest{}}.format();
        log.note =
            log::SignedNote{text, {log::sign_note(text, test::log_name, crypto::NoteKey::from_seed({1}))}}
                .format();
    };
    const std::vector<Row> rows{
        {"the head is signed by another key", other_key                                },
        {"the head is no note",               [](OddLog& log) { log.note = "600\n"; }  },
        {"a tile is narrower than its place", [](OddLog& log) { log.narrower = 1; }    },
        {"an answer without items",           [](OddLog& log) { log.empty_at = 300; }  },
        {"an answer with too many",           [](OddLog& log) { log.too_many = true; } },
        {"the broker goes away",              [](OddLog& log) { log.broken = true; }   },
        {"keys of other entries",             [](OddLog& log) { log.of_others = true; }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const test::TemporaryDirectory temporary;
        OddLog log;
        row.spoil(log);
        const auto directory = temporary.path() / "export";
        CHECK_THROWS(write_export(log, test::log_vkey(), directory, test::sample_terms()));
        CHECK_FALSE(fs::exists(directory));
        CHECK_FALSE(fs::exists(directory.string() + ".unfinished/checkpoint"));
        // And what is there of it is gone on from.
        OddLog sound;
        write_export(sound, test::log_vkey(), directory, test::sample_terms());
        CHECK(verifies(directory));
    }
}

TEST_CASE("an export that is there is brought up to the newest head, and only what is new is fetched",
          "[auditor]") {
    const test::TemporaryDirectory temporary;
    const auto directory = temporary.path() / "export";
    std::uint64_t before = 0;
    for (const std::uint64_t size : {1, 200, 256, 300, 300, 513, 70'000}) {
        CAPTURE(size);
        SampleLog log{size};
        const auto exported = write_export(log, test::log_vkey(), directory, test::sample_terms());
        CHECK(exported.size == size);
        CHECK(exported.new_entries == (size == before ? 0 : size - before / 256 * 256));
        CHECK(verifies(directory));
        before = size;
    }
}

TEST_CASE("what an export broken off has begun is not in the way of the next one", "[auditor]") {
    const test::TemporaryDirectory temporary;
    const auto directory = temporary.path() / "export";
    const auto unfinished = directory.string() + ".unfinished";
    for (const bool was_there : {false, true}) {
        CAPTURE(was_there);
        fs::remove_all(directory);
        SampleLog before{300}, after{400};
        if (was_there) write_export(before, test::log_vkey(), directory, test::sample_terms());
        OddLog larger;  // 600 entries: its first two tiles are whole, and the second of the next head is not
        larger.empty_at = 512;
        CHECK_THROWS(write_export(larger, test::log_vkey(), directory, test::sample_terms()));
        const fs::path place = was_there ? directory : fs::path{unfinished};
        REQUIRE(fs::exists(place / "tile/entries/001"));
        // A process that is killed leaves what it was writing under another name.
        for (const auto* name : {"tile/0/001.p/88.new", "tile/entries/002.p/88.new", "bodies/001.new",
                                 "keys/001.new", "checkpoint.new", "vkey.new"})
            test::write_file(place / name, "half of i");
        test::write_file(place / "policies" / (std::string(64, 'a') + ".toml.new"), "half of i");
        write_export(after, test::log_vkey(), directory, test::sample_terms());
        CHECK(verifies(directory));
        CHECK_FALSE(fs::exists(unfinished));
    }
}

TEST_CASE("a file that is not of the export stays, for verify to name", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{300};
    const auto directory = temporary.path() / "export";
    write_export(log, test::log_vkey(), directory);
    for (const auto* name : {"notes.new", "tile/0/9.new", "policies/mine.toml.new"}) {
        test::write_file(directory / name, "mine");
        write_export(log, test::log_vkey(), directory);
        CHECK_FALSE(verifies(directory));
        CHECK(fs::remove(directory / name));
    }
    CHECK(verifies(directory));
}

TEST_CASE("what a power cut left empty is fetched again", "[auditor]") {
    const test::TemporaryDirectory temporary;
    const auto directory = temporary.path() / "export";
    OddLog broken;
    broken.empty_at = 512;
    CHECK_THROWS(write_export(broken, test::log_vkey(), directory, test::sample_terms()));
    for (const auto* name : {"tile/entries/000", "tile/0/000", "tile/1/000.p/2", "bodies/000", "keys/000"}) {
        const auto file = directory.string() + ".unfinished/" + name;
        REQUIRE(fs::file_size(file) > 0);
        test::write_file(file, "");
    }
    OddLog sound;
    write_export(sound, test::log_vkey(), directory, test::sample_terms());
    CHECK(verifies(directory));
}

TEST_CASE("an export broken off before it held anything may be begun again, of either kind", "[auditor]") {
    for (const bool was_sealed : {false, true}) {
        const test::TemporaryDirectory temporary;
        const auto directory = temporary.path() / "export";
        test::write_file(directory.string() + ".unfinished/sealed-for.new", "half");
        if (was_sealed)
            test::write_file(directory.string() + ".unfinished/sealed-for", test::sample_terms().format());
        SampleLog log{5};
        const auto terms = was_sealed ? std::nullopt : std::optional{test::sample_terms()};
        write_export(log, test::log_vkey(), directory, terms);
        CHECK(SealedTerms::in(directory) == terms);
        CHECK(verifies(directory));
    }
}

TEST_CASE("an export is not brought up to a log that was cut or rewritten since", "[auditor]") {
    const test::TemporaryDirectory temporary;
    const auto directory = temporary.path() / "export";
    SampleLog log{600};
    write_export(log, test::log_vkey(), directory);
    SampleLog shorter{599};
    CHECK_THROWS_WITH(write_export(shorter, test::log_vkey(), directory), Catch::Contains("the log was cut"));
    for (const std::size_t size : {600, 700}) {
        SampleLog rewritten{3};
        log::Leaf leaf;
        leaf.kind = log::LeafKind::consulted;
        while (rewritten.size() < size) rewritten.append(leaf, {});
        CHECK_THROWS_WITH(write_export(rewritten, test::log_vkey(), directory),
                          Catch::Contains("the log was rewritten"));
    }
}

TEST_CASE("an export is not brought up under other terms", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{5};
    const auto directory = temporary.path() / "export";
    write_export(log, test::log_vkey(), directory, test::sample_terms());
    CHECK(SealedTerms::in(directory) == test::sample_terms());
    auto others = test::sample_terms();
    others.scope = "entries=0-3";
    CHECK_THROWS_WITH(write_export(log, test::log_vkey(), directory, others), Catch::Contains("other terms"));
    CHECK_THROWS_WITH(write_export(log, test::log_vkey(), directory), Catch::Contains("other terms"));
}

TEST_CASE("a public export holds no body and nothing that opens one, and verifies", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{300};
    const auto directory = temporary.path() / "export";
    write_export(log, test::log_vkey(), directory);
    CHECK_FALSE(fs::exists(directory / "bodies"));
    CHECK_FALSE(fs::exists(directory / "keys"));
    const auto verified = verify(directory, log::Policy::of_log(test::log_vkey()));
    CHECK(verified.verified());
    CHECK(verified.bodies_absent == 99);
}

TEST_CASE("nothing is written over what is there", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{5};
    temporary.write("export", "a file");
    CHECK_THROWS(write_export(log, test::log_vkey(), temporary.path() / "export"));
    CHECK(test::read_file(temporary.path() / "export") == "a file");
    write_export(log, test::log_vkey(), temporary.path() / "other/");
    CHECK(verifies(temporary.path() / "other"));
}

TEST_CASE("a sealed export is its owner's alone", "[auditor]") {
    const test::TemporaryDirectory temporary;
    SampleLog log{5};
    write_export(log, test::log_vkey(), temporary.path() / "export", test::sample_terms());
    const auto permissions = fs::status(temporary.path() / "export").permissions();
    CHECK((permissions & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
}
