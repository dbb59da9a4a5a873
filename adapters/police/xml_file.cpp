#include "adapters/police/xml_file.h"

#include <algorithm>
#include <sstream>

#include "adapters/client/text.h"

namespace flagpost::police {
namespace {

bool is_within(pugi::xml_node node, const pugi::xml_node& other) {
    while (node && node != other) node = node.parent();
    return !node.empty();
}

std::string string_of(const pugi::xpath_node& found) {
    if (found.attribute()) return found.attribute().value();
    std::string text;
    // In document order, without recursion; the depth is bounded when the document is read.
    const pugi::xml_node root = found.node();
    if (root.type() != pugi::node_element && root.type() != pugi::node_document) return root.value();
    for (pugi::xml_node node = root.first_child(); node;) {
        if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) text += node.value();
        if (node.first_child()) {
            node = node.first_child();
            continue;
        }
        while (node && node != root && !node.next_sibling()) node = node.parent();
        if (!node || node == root) break;
        node = node.next_sibling();
    }
    return text;
}

}  // namespace

std::string way_to(const pugi::xpath_node& found, const pugi::xml_node& from) {
    std::string way = found.attribute() ? std::string{"@"} + found.attribute().name() : "";
    for (pugi::xml_node at = found.attribute() ? found.parent() : found.node(); at && at != from;
         at = at.parent())
        if (at.type() == pugi::node_element)
            way = way.empty() ? at.name() : std::string{at.name()} + "/" + way;
    return way;
}

std::vector<std::string> XmlRecord::values(const Place& place) const {
    std::vector<std::string> values;
    const auto add = [&](const std::string& text) {
        if (const auto kept = client::trimmed(text); !kept.empty()) values.emplace_back(kept);
    };
    if (place.path->return_type() != pugi::xpath_type_node_set) {
        add(place.path->evaluate_string(node_));
        return values;
    }
    pugi::xpath_node_set found = place.path->evaluate_node_set(node_);
    found.sort();
    for (const pugi::xpath_node& one : found) {
        if (values.size() == xml_values_max) break;
        add(string_of(one));
        if (looked_at_ != nullptr) looked_at_->insert(way_to(one, root_));
    }
    return values;
}

std::vector<std::unique_ptr<Record>> XmlRecord::each(const Place& place) const {
    std::vector<std::unique_ptr<Record>> records;
    pugi::xpath_node_set found = place.path->evaluate_node_set(node_);
    found.sort();
    for (const pugi::xpath_node& one : found) {
        if (records.size() == xml_values_max) break;
        if (one.node())
            records.push_back(std::unique_ptr<Record>{
                new XmlRecord{one.node(), root_, looked_at_}
            });
    }
    return records;
}

Result<XmlFile> XmlFile::parse(std::string bytes, const Place& record, std::size_t records_max) {
    auto document = desk::XmlDocument::parse(std::move(bytes));
    if (!document) return tl::unexpected{document.error()};
    XmlFile file{std::move(*document)};
    pugi::xpath_node_set found = record.path->evaluate_node_set(file.document_.root());
    if (found.size() > records_max) return refuse(Reason::too_large, "file: records");
    found.sort();
    for (const pugi::xpath_node& one : found) {
        if (one.node().type() != pugi::node_element) continue;
        if (!file.records_.empty() && is_within(one.node(), file.records_.back()))
            return refuse(Reason::malformed, "file: records within records");
        file.records_.push_back(one.node());
        file.lines_.push_back(file.document_.line_of(one.node()));
    }
    if (file.records_.empty()) return refuse(Reason::malformed, "file: nothing at " + record.text);
    return file;
}

std::string XmlFile::text_of(std::size_t record) const {
    std::ostringstream out;
    records_[record].print(out, "", pugi::format_raw);
    return out.str();
}

std::string XmlFile::only(const std::set<std::size_t>& records) && {
    for (std::size_t i = 0; i < records_.size(); ++i)
        if (!records.contains(i)) records_[i].parent().remove_child(records_[i]);
    std::ostringstream out;
    document_.root().save(out, "", pugi::format_raw, pugi::encoding_utf8);
    return out.str();
}

}  // namespace flagpost::police
