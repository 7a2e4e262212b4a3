namespace Hadal.Data.Sources.Columnar;

/// <summary>What stands before a page.</summary>
/// <param name="Kind">Its kind, numbered as Parquet's <c>PageType</c> is: 0 data, 1 index, 2 dictionary, 3 data of version 2.</param>
/// <param name="Unpacked">Its length once unpacked.</param>
/// <param name="Packed">Its length in the file.</param>
/// <param name="Checksum">CRC-32 of its bytes in the file, if it has one.</param>
/// <param name="Values">How many values it has, missing ones included.</param>
/// <param name="Encoding">How the values are encoded, numbered as Parquet's <c>Encoding</c> is.</param>
/// <param name="LevelEncoding">How what is missing is encoded; RLE (3) in version 2.</param>
/// <param name="LevelBytes">Version 2: length of what says what is missing, which is not packed.</param>
/// <param name="RepetitionBytes">Version 2: length of what says what is repeated.</param>
/// <param name="ValuesPacked">Version 2: whether the values are packed.</param>
/// <param name="HeaderBytes">Length of the header itself.</param>
internal readonly record struct PageHeader(
    int Kind, int Unpacked, int Packed, int? Checksum, int Values, int Encoding, int LevelEncoding, int LevelBytes, int RepetitionBytes, bool ValuesPacked, int HeaderBytes)
{
    public const int Data = 0, Dictionary = 2, DataV2 = 3;

    /// <summary>Reads a header.</summary>
    /// <exception cref="EndOfStreamException">The bytes end inside it.</exception>
    /// <exception cref="InvalidDataException">It makes no sense.</exception>
    public static PageHeader Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ThriftReader(bytes);
        int kind = -1, unpacked = -1, packed = -1, values = -1, encoding = -1, level = 3, levelBytes = 0, repetitionBytes = 0, described = -1;
        int? checksum = null;
        bool valuesPacked = true;
        int field = 0;
        while (reader.NextField(ref field, out int type))
        {
            switch (field)
            {
                case 1:
                    kind = reader.Int32(type);
                    break;
                case 2:
                    unpacked = reader.Int32(type);
                    break;
                case 3:
                    packed = reader.Int32(type);
                    break;
                case 4:
                    checksum = reader.Int32(type);
                    break;
                case 5 or 7 or 8:
                    ThriftReader.Enter(type);
                    described = field;
                    int inner = 0;
                    while (reader.NextField(ref inner, out int innerType))
                    {
                        if (inner == 1) values = reader.Int32(innerType);
                        else if (inner == (field == 8 ? 4 : 2)) encoding = reader.Int32(innerType);
                        else if (inner == 3 && field == 5) level = reader.Int32(innerType);
                        else if (inner == 5 && field == 8) levelBytes = reader.Int32(innerType);
                        else if (inner == 6 && field == 8) repetitionBytes = reader.Int32(innerType);
                        else if (inner == 7 && field == 8) valuesPacked = ThriftReader.Truth(innerType);
                        else reader.Skip(innerType);
                    }

                    break;
                default:
                    reader.Skip(type);
                    break;
            }
        }

        int wanted = kind switch { Data => 5, Dictionary => 7, DataV2 => 8, _ => -1 };
        if (unpacked < 0 || packed < 0 || (wanted >= 0 && (described != wanted || values < 0))) throw new InvalidDataException("a page has no proper header");
        if (levelBytes < 0 || repetitionBytes < 0 || (long)levelBytes + repetitionBytes > Math.Min(packed, unpacked)) throw new InvalidDataException("a page is shorter than its levels");
        return new PageHeader(kind, unpacked, packed, checksum, values, encoding, level, levelBytes, repetitionBytes, valuesPacked, reader.Position);
    }
}
