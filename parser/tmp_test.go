package parser_test
import ("testing";"fmt";"github.com/dspi-lang/dspi/lang/source";"github.com/dspi-lang/dspi/parser";"github.com/dspi-lang/dspi/parser/format")
func TestTmp(t *testing.T){
 for _,x := range []string{
 "  { aé import# c\n \n=> §&&type\"s\"\n\n     # c\n :{ //x\na\n}\n ,\n   ", "# c\n `r`${enumasa'q'§\"${a}\" string 2.5=\n inputs { x = 1 }  {=   \ninputs { x = 1 }1: \n}\n,",
 "list[int] # c\n//x\npredict q {, { enum\n}\n {\n}\n : string ",
 "type T =   ,\n\"${a}\" import type: string:  . \n}\n2.5 : int = 1 \"d\"",
 "type T = \n \n\n ,\"s\" :§//x\n{ x: int }program p {}=> \n\n/*${ : int = 1 \"d\" ",
 } {
  f:=parser.Parse(source.NewFile("x",x)); fmt.Printf("%q\n%s%s\n",x,dump(f),dumpFaults(f,f.Faults))
  for _,i:=range f.Items { fmt.Printf("%T %q\n",i,f.Source.Slice(i.Range())) }
  fmt.Printf("%q\n", format.File(f))
 }
}
