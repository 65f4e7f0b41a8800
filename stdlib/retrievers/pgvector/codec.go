package pgvector

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5/pgtype"
)

// codec writes []float32 as pgvector's vector in its binary form, and reads it: how
// many numbers there are, two bytes of nothing, and the numbers, all big-endian.
type codec struct{}

func (codec) FormatSupported(format int16) bool { return format == pgtype.BinaryFormatCode }
func (codec) PreferredFormat() int16            { return pgtype.BinaryFormatCode }

func (codec) PlanEncode(_ *pgtype.Map, _ uint32, format int16, v any) pgtype.EncodePlan {
	if _, ok := v.([]float32); !ok || format != pgtype.BinaryFormatCode {
		return nil
	}
	return encoding{}
}

type encoding struct{}

func (encoding) Encode(v any, to []byte) ([]byte, error) {
	list := v.([]float32)
	if list == nil {
		return nil, nil
	}
	to = binary.BigEndian.AppendUint16(to, uint16(len(list)))
	to = append(to, 0, 0)
	for _, f := range list {
		to = binary.BigEndian.AppendUint32(to, math.Float32bits(f))
	}
	return to, nil
}

func (codec) PlanScan(_ *pgtype.Map, _ uint32, format int16, target any) pgtype.ScanPlan {
	if _, ok := target.(*[]float32); !ok || format != pgtype.BinaryFormatCode {
		return nil
	}
	return scanning{}
}

type scanning struct{}

func (scanning) Scan(b []byte, target any) error {
	to := target.(*[]float32)
	if b == nil {
		*to = nil
		return nil
	}
	v, err := decode(b)
	*to = v
	return err
}

func decode(b []byte) ([]float32, error) {
	if len(b) < 4 || len(b) != 4+4*int(binary.BigEndian.Uint16(b)) {
		return nil, fmt.Errorf("a vector of %d bytes cannot be read", len(b))
	}
	out := make([]float32, 0, (len(b)-4)/4)
	for b = b[4:]; len(b) > 0; b = b[4:] {
		out = append(out, math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	return out, nil
}

func (codec) DecodeDatabaseSQLValue(_ *pgtype.Map, _ uint32, _ int16, b []byte) (driver.Value, error) {
	return b, nil
}

func (codec) DecodeValue(_ *pgtype.Map, _ uint32, _ int16, b []byte) (any, error) {
	if b == nil {
		return nil, nil
	}
	return decode(b)
}
