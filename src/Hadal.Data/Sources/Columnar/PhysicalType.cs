namespace Hadal.Data.Sources.Columnar;

/// <summary>How single values are stored, numbered as Parquet's <c>Type</c> is.</summary>
internal enum PhysicalType
{
    Boolean,
    Int32,
    Int64,
    Int96,
    Float,
    Double,
    ByteArray,
    FixedLengthByteArray,
}
