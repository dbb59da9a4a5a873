// T33, who may publish and subscribe: every party, and who is none, on every topic, held against a second reading.
#include <iostream>
#include <random>

#include "broker/agreement/agreement.h"
#include "tests/support/catch.h"
#include "tests/support/figures.h"
#include "tests/support/second_reading.h"

using namespace flagpost;
using tests::second::Reading;

namespace {

const std::string text = R"(partnership = "county.example"
[[party]]
agency = "police/31"
name = "Force"
[[party]]
agency = "police/32"
name = "Another"
[[party]]
agency = "social-care/E10000024"
name = "County"
[[party]]
agency = "social-care/E06000018"
name = "City"
acts_for = ["social-care/E10000024", "education/E06000018"]
review_desk = "social-care/E10000024"
[[party]]
agency = "education/E10000024"
name = "Education"
[[party]]
agency = "school/900001"
name = "School"
[[party]]
agency = "school/900002"
name = "School acted for"
[[party]]
agency = "trust/north"
name = "Trust"
acts_for = ["school/900002", "school/900003"]
[[party]]
agency = "health/RX1"
name = "Hospital"
[[party]]
agency = "operator/duty"
name = "Operations"
[[party]]
agency = "auditor/office"
name = "Audit"
[[party]]
agency = "bench/1"
name = "Measurement"
)";

const std::vector<std::string> kinds{"police", "social-care", "school",   "trust",  "education",
                                     "health", "auditor",     "operator", "broker", "bench"};
const std::vector<std::string> codes{"31",    "32",  "E10000024", "E06000018", "900001", "900002", "900003",
                                     "north", "RX1", "duty",      "office",    "1",      "999999", "main"};
const std::vector<std::string> heads{"flags",
                                     "incidents",
                                     "rolls",
                                     "rolls/school",
                                     "reference/terms/school",
                                     "reference/contacts/school",
                                     "operations",
                                     "bench",
                                     "notices/social-care",
                                     "notices/school",
                                     "notices/education",
                                     "notices/police",
                                     "reviews",
                                     "markers",
                                     "reference",
                                     "receipts",
                                     "orders",
                                     "reports",
                                     "results",
                                     "",
                                     "notices"};
const std::vector<std::string> odd{"",
                                   "/",
                                   "flags",
                                   "flags/",
                                   "incidents/31/1",
                                   "notices/school/*",
                                   "#",
                                   "reference/gias",
                                   "reference/links",
                                   "reference/bank-holidays",
                                   "reference/terms",
                                   "reference/contacts",
                                   "reference/gias/x",
                                   "receipts/police",
                                   "receipts//31",
                                   "Flags/E10000024",
                                   "flags/E10000024 ",
                                   "operations/duty/x",
                                   "reviews/"};

Reading::Answer answer(const Result<void>& said) {
    if (said) return Reading::Answer::yes;
    return said.error().reason == Reason::unknown_topic ? Reading::Answer::unknown
                                                        : Reading::Answer::not_permitted;
}

struct Matrix {
    agreement::Agreement ours = agreement::Agreement::parse(text).value();
    Reading theirs{text};
    std::size_t asked = 0, allowed = 0, different = 0;

    void ask(const std::string& who, const std::string& topic) {
        const auto agency = AgencyId::parse(who).value();
        for (const bool publishes : {true, false}) {
            const auto said =
                answer(publishes ? ours.may_publish(agency, topic) : ours.may_subscribe(agency, topic));
            const auto meant = theirs.may(who, publishes, topic);
            ++asked;
            allowed += said == Reading::Answer::yes ? 1 : 0;
            if (said == meant) continue;
            ++different;
            std::cout << "  differs: " << who << (publishes ? " publishes on '" : " subscribes to '") << topic
                      << "': " << static_cast<int>(said) << ", second reading " << static_cast<int>(meant)
                      << "\n";
        }
    }
};

}  // namespace

TEST_CASE("every identity may do on every topic what a second reading of the agreement says", "[agreement]") {
    Matrix matrix;
    std::vector<std::string> topics = odd;
    for (const auto& head : heads) {
        for (const auto& code : codes) topics.push_back(head + "/" + code);
        for (const auto& kind : kinds)
            for (const auto& code : codes) topics.push_back(head + "/" + kind + "/" + code);
    }
    for (const auto& kind : kinds)
        for (const auto& code : codes)
            for (const auto& topic : topics) matrix.ask(kind + "/" + code, topic);

    std::mt19937 dice{33};
    const auto any = [&](const std::vector<std::string>& of) { return of[dice() % of.size()]; };
    for (int i = 0; i < 500000; ++i) {  // each asked both ways: a million
        std::string topic;
        for (std::size_t part = 0; part <= dice() % 4; ++part)
            topic += (part == 0 ? "" : "/") + any(dice() % 3 == 0 ? codes : dice() % 2 == 0 ? heads : kinds);
        matrix.ask(any(kinds) + "/" + any(codes), topic);
    }
    tests::figure("T33", {
                             {"rights_asked",     matrix.asked    },
                             {"rights_allowed",   matrix.allowed  },
                             {"rights_different", matrix.different}
    });
    CHECK(matrix.different == 0);
    CHECK(matrix.allowed > 100);
}
