/// XML that a force's system hands over: incidents, or reasons; never anything expanded, too deep or outside its document.
#include "adapters/client/text.h"
#include "adapters/police/intake.h"
#include "adapters/police/xml_file.h"
#include "incident_generated.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::police;

namespace {

constexpr auto mapping_text = R"toml(
format = "xml"
record = "//i"
[incident]
reference = "r"
occurred = { from = "t", format = ["%Y-%m-%dT%H:%M", "%d/%m/%Y %H:%M"] }
domestic_abuse = { from = "d", codes = "d" }
address = "a"
qualifiers = { from = "q", split = ";" }
unidentified_children = "count(p[not(n)])"
[[people]]
each = ".//p"
name = { from = "n", order = "family, given" }
date_of_birth = { from = "b", format = ["%d/%m/%Y", "%Y"], year_only = "01-01" }
role = { from = "@k" }
related = [{ to = "victim", relation = "x" }]
[codes.d]
"D" = "yes"
"*" = "no"
)toml";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Mapping mapping = Mapping::parse(mapping_text, "fuzz.toml");
    auto file = XmlFile::parse({reinterpret_cast<const char*>(data), size}, mapping.record(), 1000);
    if (!file) return 0;
    std::uint64_t line = 1;
    std::set<std::size_t> odd;
    for (std::size_t i = 0; i < file->records().size(); ++i) {
        fuzz::hold(file->line(i) >= line, "records come in the order of their lines");
        line = file->line(i);
        if (i % 2 == 1) odd.insert(i);
        desk::Findings findings;
        std::vector<nlohmann::json> parts;
        parts.push_back(mapping.part(XmlRecord{file->records()[i]}, 0, findings));
        const auto handed = handed_of(mapping.whole(std::move(parts), findings), "31", true, "fuzz",
                                      Instant::max() - std::chrono::hours{48}, findings);
        if (!handed) {
            fuzz::hold(!findings.faults().empty(), "who is refused hears why");
            continue;
        }
        fuzz::hold(!handed->reference.empty() && handed->reference.size() <= 64,
                   "a reference has its bounds");
        fuzz::hold(wire::read_table<schemas::Incident>(handed->payload, "payload").has_value(),
                   "a payload can be read");
    }
    const auto wanted = odd.size();
    const auto again = XmlFile::parse(std::move(*file).only(odd), mapping.record(), 1000);
    fuzz::hold((again ? again->records().size() : 0) == wanted,
               "what is kept for correction is what was rejected");
    return 0;
}
