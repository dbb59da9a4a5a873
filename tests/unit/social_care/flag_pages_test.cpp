#include "adapters/social_care/flag_pages.h"

#include "adapters/desk/fields.h"
#include "adapters/social_care/pages.h"
#include "social_care_templates.h"
#include "tests/support/catch.h"
#include "tests/support/office.h"

using namespace flagpost;
using namespace flagpost::social_care;
using namespace std::chrono_literals;
using schemas::FileCode;
using test::has;
using test::person;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");
const std::string header =
    "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate,CPPendDate,DeleteDate\n";

std::string row(const std::string& id, const std::string& more = ",") {
    return id + ",Ava,Example,2019-03-04,child_protection_plan,2025-06-19," + more + "\n";
}
std::string rows(int from, int until) {
    std::string all = header;
    for (int i = from; i < until; ++i) all += row("C" + std::to_string(i));
    return all;
}

struct Office : test::Office {
    Office()
        : test::Office{*AgencyId::parse("social-care/E10000024"),
                       now,
                       {person("fay", "Fay Dunn", "feeder", {}), person("gil", "Gil Ward", "feeder", {}),
                        person("sam", "Sam Patel", "worker", {"North"}), person("ada", "Ada Low", "admin", {})},
                       roles()},
          book{directory.path() / "box.db.flags"},
          pages{*site, reader, handover, journal, book, {"E10000024", "", 24, 10}} {
        site->templates().add_all(page_templates);
        begin();
    }

    web::Response upload(const std::string& text,
                         web::Fields form =
                             {
                                 {"mode", "full"}
    },
                         const std::string& who = "fay") {
        return post(who, "/flags/upload", std::move(form),
                    {
                        {"file", {"list.csv", text}}
        });
    }
    /// Uploads what must lead to a preview; its path.
    std::string preview(const std::string& text, web::Fields form = {
                                                     {"mode", "full"}
    }) {
        const auto response = upload(text, std::move(form));
        CAPTURE(response.body);
        REQUIRE(response.status == 303);
        return *response.header("Location");
    }
    /// What the broker says of the load sent last.
    void answer(FileCode code, std::uint32_t accepted,
                const std::vector<std::pair<int, std::string>>& refused = {}) {
        const auto load = book.recent(1).at(0);
        REQUIRE(load.step == LoadStep::sent);
        schemas::LoadResultValue result;
        result.load.assign(load.load.begin(), load.load.end());
        result.of = schemas::LoadOf::flags;
        result.sequence = load.sequence;
        result.code = code;
        result.accepted = accepted;
        result.rejected = static_cast<std::uint32_t>(refused.size());
        for (const auto& [number, where] : refused) {
            auto one = std::make_unique<schemas::RecordResultValue>();
            one->number = static_cast<std::uint32_t>(number);
            one->where = where;
            result.results.push_back(std::move(one));
        }
        receive<schemas::LoadResult>("results/social-care/E10000024", schemas::Kind::load_result, result);
    }
    void load(const std::string& text, std::uint32_t accepted) {
        const auto path = preview(text);
        REQUIRE(post("fay", path + "/apply", {}).status == 303);
        answer(FileCode::all_loaded, accepted);
        get("fay", "/flags");  // which takes note
    }
    std::uint64_t waiting() {
        return reader.read([](const client::Box& box) { return box.counts().waiting; });
    }

    FlagBook book;
    FlagPages pages;
};

}  // namespace

TEST_CASE("a preview says what would change and changes nothing until it is applied", "[social_care]") {
    Office office;
    const auto path = office.preview(rows(0, 3));
    auto page = office.get("fay", path);
    CHECK(has(page, "This is a preview. Nothing has changed yet."));
    CHECK(has(page, ">New</th>"));
    CHECK(has(page, "in UTF-8"));
    CHECK(office.book.recent(1).at(0).changes.fresh == 3);
    CHECK(office.waiting() == 0);
    CHECK(office.book.list().empty());
    CHECK_FALSE(has(page, "I have checked"));

    CHECK(office.post("fay", path + "/apply", {}).status == 303);
    CHECK(office.waiting() > 0);
    CHECK(office.post("gil", path + "/apply", {}).status == 303);  // at the same moment: sent once
    CHECK(office.book.recent(1).at(0).second == "fay");
    CHECK(has(office.get("fay", path), "Sent, not answered yet"));
    CHECK(office.book.list().empty());

    office.answer(FileCode::some_loaded, 2,
                  {
                      {2, "flag.places: too many"}
    });
    page = office.get("fay", path);
    CHECK(has(page, "Partly loaded, CPF03"));
    CHECK(has(page, "flag.places"));
    CHECK(office.book.list().size() == 2);
    CHECK_FALSE(office.book.list().contains("C1"));
    const auto list = office.get("fay", "/flags");
    CHECK(has(list, "2 children are flagged"));
    CHECK(has(list, "The next load is number 2."));
}

TEST_CASE("what is new, changed, ended, taken back and the same is counted apart", "[social_care]") {
    Office office;
    office.load(rows(0, 5), 5);
    const std::string next = header + row("C0") + row("C1", "2026-01-02,") + row("C2", ",2026-01-02") +
                             "C3,Ada,Example,2019-03-04,child_protection_plan,2025-06-19,,\n" + row("C9") +
                             "C8,,,,,,,\n";
    office.preview(next, {
                             {"mode", "delta"}
    });
    const auto load = office.book.recent(1).at(0);
    CHECK(load.changes == Changes{1, 1, 1, 1, 1, 5});
    CHECK(load.rejected == 1);
    const auto page = office.get("fay", "/flags/loads/2");
    CHECK(has(page, "FamilyName"));
    CHECK(has(page, "no name is given"));
}

TEST_CASE("a full list with rejected rows takes nobody off", "[social_care]") {
    Office office;
    office.load(rows(0, 5), 5);
    const auto path = office.preview(header + row("C0") + "C1,,,,,,,\n");
    CHECK(office.book.recent(1).at(0).changes.ended == 0);
    CHECK(has(office.get("fay", path), "the list is not replaced but added to: nobody is taken off it"));
    REQUIRE(office.post("fay", path + "/apply", {}).status == 303);
    office.answer(FileCode::all_loaded, 1);
    // The broker has taken all it was sent, and not all of the file was.
    CHECK(has(office.get("fay", path), "Partly loaded, CPF03"));
    CHECK(office.book.list().size() == 5);
}

TEST_CASE("a list that ends many flags needs a tick and a second person", "[social_care]") {
    Office office;
    office.load(rows(0, 20), 20);
    SECTION("few are ended by one person") {
        const auto path = office.preview(rows(0, 18));
        REQUIRE(office.post("fay", path + "/apply", {}).status == 303);
        CHECK(office.book.recent(1).at(0).step == LoadStep::sent);
        office.answer(FileCode::all_loaded, 18);
        office.get("fay", path);
        CHECK(office.book.list().size() == 18);
    }
    SECTION("many by two") {
        const auto path = office.preview(rows(0, 17));
        CHECK(has(office.get("fay", path), "I have checked: 3 children will no longer be flagged"));
        const auto unticked = office.post("fay", path + "/apply", {});
        CHECK(unticked.status == 422);
        CHECK(has(unticked.body, "Tick the box"));
        CHECK(office
                  .post("fay", path + "/apply",
                        {
                            {"checked", "yes"}
        })
                  .status == 303);
        CHECK(office.book.recent(1).at(0).step == LoadStep::waits);
        CHECK(office
                  .post("fay", path + "/apply",
                        {
                            {"checked", "yes"}
        })
                  .status == 409);
        CHECK(office.book.recent(1).at(0).step == LoadStep::waits);
        CHECK(has(office.get("gil", path), "Fay Dunn has checked it. You are the second person"));
        CHECK(office.post("gil", path + "/apply", {}).status == 303);
        const auto load = office.book.recent(1).at(0);
        CHECK(load.step == LoadStep::sent);
        CHECK(load.first == "fay");
        CHECK(load.second == "gil");
    }
    SECTION("and so does another number of records than was declared") {
        const auto path = office.preview(rows(0, 20) + row("C20"), {
                                                                       {"mode",  "full"},
                                                                       {"count", "22"  }
        });
        CHECK(has(office.get("fay", path), "The file has 21 records, not the 22 that were declared."));
        CHECK(office.post("fay", path + "/apply", {}).status == 422);
        CHECK(office.book.recent(1).at(0).step == LoadStep::preview);
    }
    SECTION("what was looked at is what is applied") {
        const auto path = office.preview(rows(0, 19));
        office.load(rows(0, 25), 25);
        CHECK(office.post("fay", path + "/apply", {}).status == 409);
        const auto again = office.book.find(2);
        CHECK(again->step == LoadStep::preview);
        CHECK(again->changes.ended == 6);
        CHECK(office.post("fay", path + "/apply", {}).status == 422);
    }
}

TEST_CASE("an empty list is applied only as the whole list of whoever says that it has no records",
          "[social_care]") {
    Office office;
    SECTION("more often it is an extract gone wrong") {
        const auto [mode, count] = GENERATE(table<std::string, std::string>({
            {"full",  "" },
            {"delta", "0"},
            {"full",  "3"}
        }));
        const auto path = office.preview(header, {
                                                     {"mode",  mode },
                                                     {"count", count}
        });
        const auto page = office.get("fay", path);
        CHECK(has(page, "No record of it can be loaded (CPF04)"));
        CHECK(has(page, "If nobody is flagged now"));
        CHECK(office.post("fay", path + "/apply", {}).status == 303);
        CHECK(office.waiting() == 0);
    }
    SECTION("the first list of an authority that has nobody") {
        const auto path = office.preview(header, {
                                                     {"mode",  "full"},
                                                     {"count", "0"   }
        });
        CHECK(has(office.get("fay", path), "Nobody is on this list"));
        CHECK(office.post("fay", path + "/apply", {}).status == 303);
        CHECK(office.waiting() == 2);  // a beginning and an end, and no part
        office.answer(FileCode::all_loaded, 0);
        CHECK(has(office.get("fay", path), "CPF02"));
    }
    SECTION("two people where somebody was flagged") {
        office.load(rows(0, 3), 3);
        const auto sent = office.waiting();
        const auto path = office.preview(header, {
                                                     {"mode",  "full"},
                                                     {"count", "0"   }
        });
        CHECK(office.post("fay", path + "/apply", {}).status == 422);
        CHECK(office
                  .post("fay", path + "/apply",
                        {
                            {"checked", "yes"}
        })
                  .status == 303);
        CHECK(office.waiting() == sent);
        CHECK(office.post("gil", path + "/apply", {}).status == 303);
        CHECK(office.waiting() > sent);
        office.answer(FileCode::all_loaded, 0);
        office.get("fay", "/flags");
        CHECK(office.book.list().empty());
    }
}

TEST_CASE("a file that is none, out of order or loaded already is answered and not kept", "[social_care]") {
    Office office;
    office.load(rows(0, 3), 3);
    const web::Fields full{
        {"mode", "full"}
    };
    const auto with = [&](const char* name, const char* value) {
        auto form = full;
        form.emplace(name, value);
        return form;
    };
    using Row = std::tuple<std::string, web::Fields, const char*>;  // the file, the form, the words
    std::vector<Row> all;
    all.emplace_back("", full, "Choose the file");
    all.emplace_back(rows(0, 2), web::Fields{}, "Choose whether this is the whole list");
    all.emplace_back("name\nAva\n", full, "CPF01: header: no column LAchildID");
    all.emplace_back("[{\"la_child_id\":", full, "CPF01: file: it ends early");
    all.emplace_back(rows(0, 3), full, "Already loaded at 8:12am; nothing changed");
    all.emplace_back(rows(0, 2), with("sequence", "3"), "Number 2 expected; this says 3. Load 2 is missing.");
    all.emplace_back(rows(0, 2), with("sequence", "4"), "Loads 2 to 3 are missing.");
    all.emplace_back(rows(0, 2), with("sequence", "1"), "Number 2 expected; this says 1.");
    all.emplace_back(rows(0, 2), with("count", "many"), "The number of records should be a whole");
    all.emplace_back(std::string(flag_upload_size_max + 1, 'x'), full,
                     "The file must be smaller than 16 MiB");
    const auto [text, form, words] = GENERATE_COPY(from_range(all));
    CAPTURE(words);
    const auto response = office.upload(text, form);
    CHECK(response.status == 422);
    CHECK(has(response.body, words));
    CHECK(office.book.recent(10).size() == 1);
}

TEST_CASE("what cannot be loaded at all is shown with its reasons and cannot be applied", "[social_care]") {
    Office office;
    const auto path = office.preview(header + "C1,,,,,,,\n");
    CHECK(has(office.get("fay", path), "No record of it can be loaded (CPF04)"));
    CHECK(office.post("fay", path + "/apply", {}).status == 303);
    CHECK(office.book.recent(1).at(0).step == LoadStep::preview);
    CHECK(office.waiting() == 0);
}

TEST_CASE("the results are the rows with a code and a reason, and load again", "[social_care]") {
    Office office;
    const std::string text = header + row("C0") + row("C1") + "C2,,,,,,,\nC3,x\n" + row("C4");
    const auto path = office.preview(text);
    REQUIRE(office.post("fay", path + "/apply", {}).status == 303);
    office.answer(FileCode::some_loaded, 2,
                  {
                      {2, "flag.places"}
    });
    const auto results = office.get("fay", path + "/results");
    CHECK(has(results, "C0,Ava,Example,2019-03-04,child_protection_plan,2025-06-19,,,CPR06,\n"));
    CHECK(has(results,
              "C1,Ava,Example,2019-03-04,child_protection_plan,2025-06-19,,,CPR07,Flagpost refused it: "
              "flag.places\n"));
    CHECK(has(results, "C2,,,,,,,,CPR07,"));
    CHECK(has(results, ",,,,,,,,CPR07,2 cells where the header has 8\n"));
    const auto again = read_flag_file(results, {"E10000024", "", "2026-01-11", std::nullopt, nullptr});
    REQUIRE(again);
    CHECK(again->prepared.keys == std::vector<std::string>{"C0", "C1", "C4"});
    // And its own results do not pile up.
    office.preview(results, {
                                {"mode", "delta"}
    });
    CHECK_FALSE(has(office.get("fay", "/flags/loads/2/results"), "ResultReason,ResultCode"));
}

TEST_CASE("what is discarded is forgotten, and old files too", "[social_care]") {
    Office office;
    const auto path = office.preview(rows(0, 3));
    CHECK(office.post("fay", path + "/discard", {}).status == 303);
    CHECK_FALSE(office.book.content(1));
    CHECK(office.send("fay", "GET", path + "/results").status == 404);
    CHECK(office.post("fay", path + "/apply", {}).status == 303);
    CHECK(office.waiting() == 0);
    office.load(rows(0, 3), 3);
    CHECK(office.book.content(2));
    office.reader.read([&](const client::Box& box) { office.book.settle(box, now + content_kept + 1h); });
    CHECK_FALSE(office.book.content(2));
    CHECK(office.book.find(2)->code == FileCode::all_loaded);
}

TEST_CASE("what was claimed and never sent is a preview again after a crash", "[social_care]") {
    Office office;
    office.preview(rows(0, 1));
    const auto file = read_flag_file(rows(0, 1), {"E10000024", "", "2026-01-11", std::nullopt, nullptr});
    REQUIRE(office.book.claim(1, LoadStep::preview, "fay", "Fay Dunn", list_of(file->prepared),
                              file->prepared.keys));
    CHECK_FALSE(office.book.claim(1, LoadStep::preview, "gil", "Gil Ward", list_of(file->prepared),
                                  file->prepared.keys));
    office.book.recover();
    CHECK(office.book.find(1)->step == LoadStep::preview);
    CHECK(office.book.claim(1, LoadStep::preview, "gil", "Gil Ward", list_of(file->prepared),
                            file->prepared.keys));
}

TEST_CASE("flags are the feeder's alone", "[social_care]") {
    Office office;
    office.preview(rows(0, 1));
    for (const std::string who : {"sam", "ada"}) {
        for (const std::string path : {"/flags", "/flags/upload", "/flags/loads/1", "/flags/loads/1/results"})
            CHECK(office.send(who, "GET", path).status == 404);
        CHECK(office.post(who, "/flags/loads/1/apply", {}).status == 404);
        CHECK(office
                  .upload(rows(0, 1),
                          {
                              {"mode", "full"}
        },
                          who)
                  .status == 404);
    }
    CHECK(office.send("fay", "GET", "/flags/loads/7").status == 404);
    CHECK(office.send("fay", "GET", "/flags/loads/1x").status == 404);
    CHECK(office.waiting() == 0);
}
