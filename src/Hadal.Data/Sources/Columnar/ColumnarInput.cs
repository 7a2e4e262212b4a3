using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Hadal.Data.Sources.Files;
using Hadal.Data.Sources.Packing;
using Hadal.Data.Sources.Records;

namespace Hadal.Data.Sources.Columnar;

/// <summary>Documents out of the rows of a Parquet file, of which only the wanted columns are read, a page of each at a time.</summary>
internal static class ColumnarInput
{
    public static IEnumerable<SourceDocument> Read(InputFile file, InputOptions options, IReadReport report)
    {
        using FileStream stream = FileAccessErrors.Open(file.Path);
        TableFooter footer = TableFooter.Read(stream, file.Path);
        WantedColumns wanted = WantedColumns.Of(footer, options);
        if (wanted.Problem is { } problem)
        {
            report.Add(new ReadProblem(ReadProblemKind.PathSkipped, file.Id, null, problem));
            yield break;
        }

        var limit = ExpansionLimit.Of(options);
        var volume = new ReadVolume(limit, options.MaximumPageBytes, file.Path);
        var row = new TableRow(wanted, new RecordFields(file, options), options);
        long first = 0;
        int number = 0;
        foreach (RowGroup group in footer.RowGroups(wanted.Columns, limit))
        {
            string? damage = row.Open(stream.SafeFileHandle, group, volume);
            long at = 0;
            for (; damage is null && at < group.Rows; at++)
            {
                damage = row.Next();
                if (damage is not null) break;
                if (row.Error is { } error)
                {
                    report.Add(new ReadProblem(ReadProblemKind.RecordSkipped, file.Id, first + at + 1, error));
                    continue;
                }

                if (row.Repair is { } repair) report.Add(new ReadProblem(ReadProblemKind.TextRepaired, file.Id, first + at + 1, repair));
                yield return row.Document(first + at);
            }

            if (damage is not null)
            {
                report.Add(new ReadProblem(
                    ReadProblemKind.RecordSkipped,
                    file.Id,
                    first + at + 1,
                    string.Create(CultureInfo.InvariantCulture, $"{group.Rows - at} rows to the end of row group {number} are left out: {damage}")));
            }

            first += group.Rows;
            number++;
        }
    }

    /// <summary>Which columns are read for what, as places in <see cref="Columns"/>; -1 for none.</summary>
    private sealed record WantedColumns(IReadOnlyList<TableColumn> Columns, int Text, int Id, int Source, int Language, string? Problem)
    {
        public static WantedColumns Of(TableFooter footer, InputOptions options)
        {
            var columns = new List<TableColumn>();
            TableColumn? text = Find(footer, options.TextField);
            if (text is null || text.Type != PhysicalType.ByteArray)
            {
                string names = string.Join(", ", footer.Columns.Select(c => c.Name).Concat(footer.Nested.Select(n => n + " (nested)")).Take(10).Select(n => n.Length > 40 ? n[..40] + "…" : n));
                return new WantedColumns([], -1, -1, -1, -1, text is null ? $"it has no column \"{options.TextField}\" (it has {names})" : $"its column \"{options.TextField}\" is {text.Type}, not text");
            }

            return new WantedColumns(
                columns,
                Place(columns, text),
                Place(columns, Find(footer, options.IdField) is { Type: PhysicalType.ByteArray or PhysicalType.Int32 or PhysicalType.Int64 } id ? id : null),
                Place(columns, Find(footer, options.SourceField) is { Type: PhysicalType.ByteArray } source ? source : null),
                Place(columns, options.LanguageFields.Select(f => Find(footer, f)).FirstOrDefault(c => c is { Type: PhysicalType.ByteArray })),
                null);
        }

        private static TableColumn? Find(TableFooter footer, string name) =>
            footer.Columns.Find(c => c.Name == name) ?? footer.Columns.Find(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

        private static int Place(List<TableColumn> columns, TableColumn? column)
        {
            if (column is null) return -1;
            int at = columns.IndexOf(column);
            if (at < 0) columns.Add(column);
            return at < 0 ? columns.Count - 1 : at;
        }
    }

    /// <summary>The current row of a row group.</summary>
    private sealed class TableRow(WantedColumns wanted, RecordFields fields, InputOptions options)
    {
        private readonly ColumnCursor?[] _cursors = new ColumnCursor?[wanted.Columns.Count];
        private (byte[] Bytes, string Text) _source = ([], "");
        private (byte[] Bytes, string Text) _language = ([], "");
        private ReadVolume _volume = null!;
        private string _text = "";

        /// <summary>Why the row is no document, or null.</summary>
        public string? Error { get; private set; }

        /// <summary>What was changed in it, or null.</summary>
        public string? Repair { get; private set; }

        /// <summary>Goes before the first row of a group; says what is wrong with the group, or null.</summary>
        public string? Open(Microsoft.Win32.SafeHandles.SafeFileHandle file, RowGroup group, ReadVolume volume)
        {
            _volume = volume;
            if (group.Problem is { } problem) return problem;
            for (int i = 0; i < _cursors.Length; i++)
            {
                if (group.Chunks[i] is not { } chunk) return $"it does not have the column \"{wanted.Columns[i].Name}\"";
                if (chunk.Values != group.Rows) return $"its column \"{chunk.Column.Name}\" has not as many values as there are rows";
                _cursors[i] = new ColumnCursor(file, chunk, volume);
            }

            return null;
        }

        /// <summary>Goes to the next row; says what is damaged, or null.</summary>
        public string? Next()
        {
            int column = 0;
            try
            {
                for (; column < _cursors.Length; column++) _cursors[column]!.Next();
            }
            catch (InvalidDataException e)
            {
                return $"in column \"{wanted.Columns[column].Name}\", {e.Message}";
            }

            Error = Repair = null;
            ColumnCursor text = _cursors[wanted.Text]!;
            long given = TableFooter.BytesPerRow;
            foreach (ColumnCursor? cursor in _cursors) given += cursor!.Value.Length;
            _volume.Give(given);
            Error = text.IsMissing ? $"\"{wanted.Columns[wanted.Text].Name}\" is null" : fields.TooLong(text.Value.Length);
            if (Error is not null) return null;
            if (!Utf8.IsValid(text.Value))
            {
                if (options.InvalidText == InvalidText.Skip) Error = "it is not valid UTF-8";
                else Repair = "it is not valid UTF-8; U+FFFD stands for what is invalid";
            }

            if (Error is null) _text = Encoding.UTF8.GetString(text.Value);
            return null;
        }

        public SourceDocument Document(long number) =>
            fields.Document(_text, Id(), Repeated(wanted.Source, ref _source), Repeated(wanted.Language, ref _language), fields.RecordPlace(number));

        private string? Id()
        {
            if (wanted.Id < 0 || _cursors[wanted.Id]!.IsMissing) return null;
            ReadOnlySpan<byte> value = _cursors[wanted.Id]!.Value;
            return wanted.Columns[wanted.Id].Type switch
            {
                PhysicalType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(value).ToString(CultureInfo.InvariantCulture),
                PhysicalType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(value).ToString(CultureInfo.InvariantCulture),
                _ => Encoding.UTF8.GetString(value),
            };
        }

        // Few different sources and languages occur in a file: the string of the last row serves the next.
        private string? Repeated(int column, ref (byte[] Bytes, string Text) last)
        {
            if (column < 0 || _cursors[column]!.IsMissing) return null;
            ReadOnlySpan<byte> value = _cursors[column]!.Value;
            if (!value.SequenceEqual(last.Bytes)) last = (value.ToArray(), Encoding.UTF8.GetString(value));
            return last.Text;
        }
    }
}
