/// An XML document as records, by the XPath of a mapping.
#pragma once

#include <pugixml.hpp>

#include "adapters/desk/xml_document.h"
#include "adapters/police/mapping.h"
#include "broker/core/result.h"

namespace flagpost::police {

using desk::xml_depth_max;
using desk::xml_size_max;
inline constexpr std::size_t xml_values_max = 1000;  // at one place of one record

/// The way to something of a document by names, without numbers: "Incident/Person/@kind".
std::string way_to(const pugi::xpath_node& found, const pugi::xml_node& from);

/// An element, as long as its document lives. `looked_at`: gathers the ways, from the record of the document, to what
/// was asked for.
class XmlRecord final : public Record {
public:
    explicit XmlRecord(pugi::xml_node node, std::set<std::string>* looked_at = nullptr)
        : XmlRecord{node, node, looked_at} {}
    std::vector<std::string> values(const Place& place) const override;
    std::vector<std::unique_ptr<Record>> each(const Place& place) const override;

private:
    XmlRecord(pugi::xml_node node, pugi::xml_node root, std::set<std::string>* looked_at)
        : node_{node}, root_{root}, looked_at_{looked_at} {}
    pugi::xml_node node_, root_;
    std::set<std::string>* looked_at_;
};

class XmlFile {
public:
    /// Refuses what desk::XmlDocument refuses, and more records than `records_max`.
    static Result<XmlFile> parse(std::string bytes, const Place& record, std::size_t records_max);

    const std::vector<pugi::xml_node>& records() const { return records_; }
    std::uint64_t line(std::size_t record) const { return lines_[record]; }
    std::string text_of(std::size_t record) const;
    /// The document with no other records than these; nothing else is asked of it afterwards.
    std::string only(const std::set<std::size_t>& records) &&;

private:
    explicit XmlFile(desk::XmlDocument document) : document_{std::move(document)} {}
    desk::XmlDocument document_;
    std::vector<pugi::xml_node> records_;
    std::vector<std::uint64_t> lines_;
};

}  // namespace flagpost::police
