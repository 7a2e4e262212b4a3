namespace Hadal.Data.Languages;

/// <summary>
/// What lines of programming languages look like. One entry a line: languages, then markers with their weights. A marker is <c>^text</c> at the start of a line,
/// <c>text$</c> at its end, both for a whole line, <c>^text...text$</c> for start and end, <c>text...text</c> for one after the other, else anywhere; the weight follows the last blank.
/// </summary>
internal static class CodeMarkers
{
    private static readonly (string Languages, string[] Markers)[] _table =
    [
        ("python",
        [
            "^def ...:$ 4", "^async def ...:$ 4", "^class ...:$ 3", "^elif ...:$ 3", "^except...:$ 3", "^try:$ 2", "^else:$ 2", "^finally:$ 2", "^if ...:$ 2", "^for ...:$ 2",
            "^while ...:$ 2", "^with ...:$ 2", "^from . 2", " self. 1.5", "(self 2", "^from ... import  4", "__init__ 2", "^\"\"\" 1.5", "^r\"\"\" 2", "^>>> 1.5", "^raise  1", "^pass$ 2", "^print( 1.5", "^return self 2", "^import  0.7",
            " is None 2", "^@ 0.3", "^#  0.3", "isinstance( 1.5", "^yield  1", "^assert  0.7", "^global  1", "^del  1", "^self. 1", "^lambda  1", "None) 1", "^return None 2", "^return True 2", "^return False 2",
            "^__all__ 3", "^#!/usr/bin/env python 10", "^if __name__ 10",
        ]),
        ("csharp",
        [
            "^using System...;$ 10", "^using ...;$ 2", "^namespace  1", "^#region 3", "^#nullable 5", "^#pragma warning 3", "^/// < 4", "^public static  1", "^internal  1.5", "^internal static  3",
            "^sealed  2", "get; 3", "set; 2", "^foreach ( 3", " is not null 2", "nameof( 2", "this I 0.5", "IEnumerable< 2", "StringBuilder 0.5", "^[...]$ 0.7", "ReadOnlySpan< 3", "^private readonly  3", "async Task 4",
            "^var  1", "^public override  3", "^throw new  0.7", "^partial  3", " partial class  4", "^public string  3", "^public bool  3", "^return new  0.5", "CancellationToken 3", "where T :  3", "Func< 2", "Action< 2", " => ...;$ 0.7",
            "^public  0.7", "^private  0.7", "^protected  0.5", " params  1", " out var  3", "^get =>  3", "^using static  3", "^global using  5",
        ]),
        ("java",
        [
            "^package ...;$ 5", "^import java 8", "^import ...;$ 1.5", "^@Override 5", "System.out. 5", "^public class  2", "^public static void main 5", " throws ...{$ 2", "^private final  3", "^private static final  4", "^public final  2",
            " extends ...{$ 1", " implements ...{$ 2", "^public void  1.5", "^public String  3", "^private String  2", "^final  1.5", "String[]  1", "ArrayList< 2", "^@Nullable 2", " instanceof  2", "^public  0.7", "^private  0.7", "^protected  0.7", "^throw new  0.7",
            "^public int  1.5", "^super. 2", "^super( 1", "^/** 0.3", "^* @param 1", "^* @return 1", "^public interface  1",
        ]),
        ("c",
        [
            "^#include < 3", "^#include \" 2", "^#define  2", "^#ifdef  2", "^#ifndef  2", "^#endif 1", "^typedef  2", "^static int  2", "^static void  1.5", "^struct  1", "^unsigned  1", "^int main( 3", "printf( 1.5", "malloc( 2", "sizeof( 1", "NULL 1", "-> 0.5",
            "^void  1", "^int  0.7", "^char * 2", "^char  0.7", "^const char  1.5", "^static const  1", "^extern  1.5", "^goto  1.5", "memcpy( 2", "strlen( 2", "size_t 1", "uint32_t 1", "uint8_t 1", "^enum  0.5", "^switch ( 0.5", "^case ...:$ 0.5", "free( 1", "strcmp( 2",
            "void *) 1", "(void) 1", "^/* 0.3", "^* 0.1", "^return -1; 1", "^return 0; 0.7",
        ]),
        ("cpp",
        [
            "std:: 3", "^template <...>$ 4", "^template< 4", "^#include <iostream> 8", "^#include <vector> 8", "^#include <string> 8", "^#include <memory> 8", "^using namespace  5", "^public:$ 4", "^private:$ 4", "^protected:$ 3", "cout << 3", "nullptr 3",
            "^namespace  1", ":: 0.5", "^virtual  3", "^auto  1.5", "const auto& 3", "constexpr  2", "static_cast< 3", "noexcept 3", " override; 3", "^#include < 1", "^class ...{$ 0.5", "^#define  1", "^#ifndef  1", "const std:: 2", "^~ 1", "^explicit  3", "^delete  1",
        ]),
        ("javascript",
        [
            "^const  1.5", "^let  1.5", "^var  1", "^function  1.5", "^async function  3", "=> { 1.5", "require( 1.5", "module.exports 5", "console. 2.5", " === 2.5", " !== 2.5", "^export default  4", "^export const  3", "^export function  3", "^import ...';$ 3", "^import ...\";$ 1.5", "^});$ 2",
            "document. 2", "window. 2", "undefined 1", "^'use strict' 10", "^\"use strict\" 10", "JSON.stringify 3", "typeof  1.5", "function ( 2", "function( 2", "^return  0.2", "await  0.5", ".then( 1.5", ".prototype. 4", "Promise 0.7", "addEventListener 3", "^export  1", "^export { 2", "^export * 3", " from '. 2", " from \". 2", "${ 0.5", "null; 0.3",
        ]),
        ("typescript",
        [
            ": string 3", ": number 3", ": boolean 3", ": void 2", ": any 3", ": unknown 3", "^interface  2.5", "^export interface  5", "^type  1", "^export type  5", "^import type  5", " as const 4", "^readonly  2", "Promise< 3", "Record< 3", "^private readonly  1", "^export enum  3", "^declare  3", "^enum  1", "<T> 0.5", "?:  1", "keyof  3",
        ]),
        ("go",
        [
            "^package  1", "^func  2.5", "^func ( 4", " := 2", "^import ($ 5", "^import \"...\"$ 4", "err != nil 5", "fmt. 1.5", "^type ...struct {$ 4", "^type ...interface {$ 4", "^defer  2", "^go func 3", " chan  2", "^var  0.5", "[]string 2", "[]byte 2", "interface{} 2", "^return nil 2", "nil) 1", "^case ...:$ 0.5", "^for _,  3", ", err  1.5", "^} else {$ 0.3", "make( 1", "range  0.7",
        ]),
        ("rust",
        [
            "^fn  3", "^pub fn  5", "^pub struct  4", "^pub enum  4", "^let mut  5", "^let  1", "^impl 4", "^use ...;$ 2", "^use std:: 5", "^use crate:: 5", "^#[ 3", "^#![ 5", "^match ...{$ 2", "^mod ...;$ 2", "^pub mod  4", "^pub  1", "println!( 4", "format!( 3", "vec![ 3", "assert_eq!( 4", "&str 3", "&mut  3", "&self 4", "Option< 2", "Vec< 2", "Result< 1", ".unwrap() 4", ":: 0.5", "^/// 1", "^//! 3", "Some( 2", "Ok( 1.5", "Err( 1.5", " -> Self 4", " -> Result 3", "=> { 0.5", "=> ...,$ 0.7", "^trait  2", "^unsafe  2", "^async fn  4", ".iter() 2",
        ]),
        ("php", ["^<?php 10", "$this-> 4", "^$ ...;$ 1", "^use ...;$ 0.7", "^namespace ...;$ 1", "^public function  4", "^private function  4", "^protected function  4", "^function  1", "^echo  1", "=> $ 1", "-> 0.5", "array( 1.5"]),
        ("ruby", ["^end$ 2.5", "^def  1.5", "^require ' 4", "^require_relative 5", "^module  1", " do |...|$ 4", "^attr_ 5", "^elsif  3", "^unless  2", "^puts  2", "^class  0.7", ".each  2", "^@ 0.7", "nil 0.5", "^rescue 2"]),
        ("kotlin", ["^fun  4", "^val  3", "^var  1", "^data class  5", "^package  1", "^import  0.5", "^override fun  5", "^private val  4", "println( 1", "?. 1", "^companion object 5", "when ( 2", ": String 1.5", ": Int 2"]),
        ("swift", ["^func  2", "^import Foundation 6", "^import UIKit 6", "^import SwiftUI 6", "^let  1.5", "^var  1", "^guard  4", "^if let  4", "^struct  0.7", "^extension  2", "-> String 2", "-> Int 2", ": String 1", "^@objc 4", "^private func  3", "^override func  5"]),
        ("html",
        [
            "^<!DOCTYPE html 10", "^<!doctype html 10", "^<html 8", "^</html 5", "^<head 5", "^<body 5", "^<div 3", "^</div 3", "^<p> 2", "^<p  2", "^<a  2", "^<span 3", "^<table 2", "^<tr 3", "^<td 3", "^</t 1.5", "^<li 3", "^<ul 3", "^</ul 3", "^<ol 2", "^<meta  5", "^<link  3", "^<script 4", "^</script 4", "^<style 3", "^<h1 3", "^<h2 3", "^<h3 3", "^<img  3", "^<input  3", "^<form 3",
            "^<button 3", "^<section 3", "^<nav 3", "<br 2", "<p> 1", "^<title 2", "</p>$ 1", "</li>$ 1", "</a>$ 1", "</div>$ 1", " class=\" 1.5", " href=\" 1.5", "^<!-- 0.7",
        ]),
        ("xml", ["^<?xml  10", "xmlns 5", "^</ 1.5", "^< 1.2", "/>$ 1.2", "^<!-- 0.7", "^<!ENTITY 5", "^<!ELEMENT 5"]),
        ("css", ["^....{$ 3", "^#...{$ 2.5", "^@media 8", "^@import 3", "^@font-face 8", "^@keyframes 8", ": #...;$ 3", "px;$ 3", "em;$ 3", "%;$ 2", ": none;$ 3", ": auto;$ 3", ": block;$ 4", ": flex;$ 4", ": center;$ 4", "^color: 4", "^margin 3", "^padding 3", "^background 3", "^font- 4", "^display: 4", "^width: 3", "^height: 3", "^border 3", "^body {$ 5", "^:root 5", "^position: 3", "^text- 3", "!important 4", "rgba( 2", ":hover 3", "^a {$ 4", "^h1 {$ 4", "^--...;$ 3", "var(-- 4", "^*/$ 0.2", "^/* 0.2"]),
        ("json", ["^{\" 5", "^[{\" 6", "^\"...,$ 1", "^\"...{$ 3", "^\"...[$ 3", "\":  1.5", "\":\" 1.5", "^},$ 1", "^}$ 0.3", "^],$ 1", "^[$ 2", "^{$ 0.7", "\": true 2", "\": false 2", "\": null 2"]),
        ("yaml", ["^---$ 2", "^apiVersion: 8", "^kind: 3", "^metadata:$ 4", "^version: 2", "^- name: 4", "^services:$ 4", "^image: 3", "^on:$ 3", "^jobs:$ 4", "^steps:$ 4", "^- uses: 5", "^run: 3", "^run: |$ 5", "^env:$ 3", "^spec:$ 4", "^ports:$ 3", ": true$ 2", ": false$ 2", ": |$ 2", ": >$ 2", "^name: 1.5", "^#  0.2"]),
        ("sql",
        [
            "^SELECT  4", "^select ...,$ 1", "^INSERT INTO  5", "^insert into  5", "^CREATE TABLE  6", "^create table  6", "^CREATE  2", "^UPDATE  2", "^DELETE FROM  5", "^ALTER TABLE  6", "^DROP TABLE  6", "^FROM  3", "^WHERE  3", "^JOIN  3", "^LEFT JOIN  4", "^INNER JOIN  4", "^GROUP BY  4", "^ORDER BY  4", "^VALUES 3", "^AND  2", "^SET  1", "^HAVING  3",
            " NOT NULL 4", " VARCHAR 4", " varchar( 4", " INTEGER 2", " PRIMARY KEY 4", "^PRIMARY KEY 4", "^-- 1", "^COMMIT; 4", "^BEGIN; 2", "^from  0.7", "^where  1", "^group by  3", "^order by  3", "^left join  3", "^UNION 3", " REFERENCES  3", "^LIMIT  2",
        ]),
        ("shell",
        [
            "^#!/bin/sh 10", "^#!/bin/bash 10", "^#!/usr/bin/env bash 10", "^#!/usr/bin/env sh 10", "^fi$ 4", "^done$ 4", "^esac$ 5", "; then$ 4", "^then$ 3", "; do$ 4", "^do$ 2", "^echo  2", "^export  1.5", "^if [ 4", "^elif [ 4", "^while [ 4", "^#!/ 2", "=$( 3", "\"$( 3", "=\"$ 3", " \"${ 2", " \"$@ 3", "^$ 0.2", "^sudo  4", "^apt-get  4", "^cd  2", "^mkdir  3", "^rm - 4", "^set - 4", "^exit  2", "^local  1.5", "/dev/null 2", "^;;$ 4", "^#  0.2", "() {$ 0.3",
            "^curl  3", "^chmod  4", "^git  2", "^source  2", " && \\$ 3", " \\$ 1", "^case ... in$ 4", "^grep  3", "| grep  2", "| sed  3", "| awk  3", "^npm  3", "^pip install  3", "^docker  3",
        ]),
    ];

    internal static string[] Languages { get; } = [.. _table.Select(static entry => entry.Languages)];

    /// <summary>Markers at the start of a line or of whole lines, by their first character.</summary>
    internal static CodeMarker[][] Starts { get; } = new CodeMarker[128][];

    /// <summary>Markers inside or at the end of lines.</summary>
    internal static CodeMarker[] Others { get; } = Read();

    private static CodeMarker[] Read()
    {
        List<CodeMarker> starts = [], others = [];
        for (int language = 0; language < _table.Length; language++)
        {
            foreach (string entry in _table[language].Markers)
            {
                int blank = entry.LastIndexOf(' ');
                float weight = float.Parse(entry.AsSpan(blank + 1), System.Globalization.CultureInfo.InvariantCulture);
                string text = entry[..blank], ending = "", then = "";
                // A lone "$" and "^$" are the character itself, as PHP's variables; "=> $" too.
                bool start = text.StartsWith('^'), end = text.Length > 2 && text.EndsWith('$') && !text.EndsWith("> $", StringComparison.Ordinal) && !text.EndsWith("\"$", StringComparison.Ordinal);
                if (start) text = text[1..];
                if (end) text = text[..^1];
                int gap = text.LastIndexOf("...", StringComparison.Ordinal);
                if (gap > 0)
                {
                    (end ? ref ending : ref then) = text[(gap + 3)..];
                    text = text[..gap];
                }

                MarkerPlace place = start && end && gap <= 0 ? MarkerPlace.Whole : start ? MarkerPlace.Start : end && gap <= 0 ? MarkerPlace.End : MarkerPlace.Inside;
                (start ? starts : others).Add(new CodeMarker(language, place, text, ending, then, weight));
            }
        }

        for (int c = 0; c < Starts.Length; c++) Starts[c] = [.. starts.Where(marker => marker.Text[0] == c)];
        return [.. others];
    }
}
