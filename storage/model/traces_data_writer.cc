#include "storage/model/traces_data_writer.h"

#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {

void TracesDataWriter::Add(std::string_view resource_envelope, std::string_view scope_envelope,
                           std::string_view span) {
  const bool same_resource = open_ && resource_key_ == resource_envelope;
  if (!same_resource) {
    CloseResource();
    resource_key_.assign(resource_envelope);
    resource_.assign(resource_envelope);
  }
  if (!same_resource || scope_key_ != scope_envelope) {
    CloseScope();
    scope_key_.assign(scope_envelope);
    scope_.assign(scope_envelope);
    scope_open_ = true;
  }
  open_ = true;
  wire::AppendBytes(otlp::group::kChildren, span, &scope_);
}

void TracesDataWriter::CloseScope() {
  if (!scope_open_) return;
  wire::AppendBytes(otlp::group::kChildren, scope_, &resource_);
  scope_open_ = false;
}

void TracesDataWriter::CloseResource() {
  if (!open_) return;
  CloseScope();
  wire::AppendBytes(otlp::request::kResourceSpans, resource_, &out_);
  open_ = false;
}

uint64_t TracesDataWriter::size_bytes() const {
  return out_.size() + (open_ ? resource_.size() : 0) + (scope_open_ ? scope_.size() : 0);
}

bool TracesDataWriter::empty() const { return out_.empty() && !open_; }

std::string TracesDataWriter::Finish() {
  CloseResource();
  std::string message = std::move(out_);
  out_.clear();
  return message;
}

}  // namespace larder
