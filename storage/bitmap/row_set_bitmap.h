// What row_set.cc and row_set_codec.cc share: the owner of a vendor's bitmap.
#pragma once

#include <roaring/roaring.h>

#include "storage/bitmap/row_set.h"

namespace larder {

class RowSet::Bitmap {
 public:
  // Takes `bitmap`.
  explicit Bitmap(roaring_bitmap_t* bitmap) : bitmap_(bitmap) {}
  ~Bitmap() { roaring_bitmap_free(bitmap_); }
  Bitmap(const Bitmap&) = delete;
  Bitmap& operator=(const Bitmap&) = delete;

  roaring_bitmap_t* get() const { return bitmap_; }

 private:
  roaring_bitmap_t* const bitmap_;
};

}  // namespace larder
